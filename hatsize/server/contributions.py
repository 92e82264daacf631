"""DNS records that plugins contribute to a tailnet while it runs."""

from collections.abc import Sequence

import anyio

from hatsize.builtin.contributed import ContributedRecords
from hatsize.live.tailnet import LiveTailnet
from hatsize.wire.tailcfg import DNSRecord

HOOK = "hatsize_dns_records"
ASK_EVERY = 30.0
"""Seconds between questions."""


class Contributions:
    """Asks plugins from time to time, and tells every node what they answer."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        self._plugins = live.services.plugins
        self._records: ContributedRecords = self._plugins.service("dns_provider", ContributedRecords.name)

    async def run(self) -> None:
        """Ask until cancelled; nothing to do where no plugin gives any."""
        while self._plugins.implementations(HOOK):
            await self.refresh()
            await anyio.sleep(ASK_EVERY)

    async def refresh(self) -> None:
        """Ask for records, and tell everybody of new ones."""
        answers = await self._plugins.dns_records(self._live.state)
        sound = {plugin: records for plugin, records in answers.items() if self._are_records(plugin, records)}
        if self._records.take(sound):
            self._live.settings_changed()

    def _are_records(self, plugin: str, records: Sequence[DNSRecord]) -> bool:
        """Whether a plugin gave what it should; what it gave instead counts as its failure."""
        if isinstance(records, list | tuple) and all(isinstance(record, DNSRecord) for record in records):
            return True
        self._plugins.ledger.failed(plugin, HOOK, TypeError("the answer is not a list of DNSRecord"))
        return False
