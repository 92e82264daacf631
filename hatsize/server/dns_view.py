"""The DNS of the live tailnet as the HTTP APIs see it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hatsize.builtin.contributed import ContributedRecords
from hatsize.builtin.magicdns import MagicDNS
from hatsize.live.asking import dns_config
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.dns import DnsChoice
from hatsize.tailnet.model import Node
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import DNSConfig, DNSRecord, Hostinfo

NOBODY = Node(
    id=0,
    stable_id="",
    machine_key=machine_key(bytes(32)),
    node_key=node_key(bytes(32)),
    disco_key=ZERO_DISCO_KEY,
    given_name="",
    hostinfo=Hostinfo(),
    created=datetime(1970, 1, 1, tzinfo=UTC),
)
"""A node that nothing is said of."""


class DnsView:
    """Implements `hatsize.api.contract.DnsAccess`, by the DNS providers in use."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        providers = live.services.dns
        self._magic_dns = next(each for each in providers if isinstance(each, MagicDNS))
        self._contributed = next(each for each in providers if isinstance(each, ContributedRecords))

    @property
    def base_domain(self) -> str:
        return self._magic_dns.defaults.base_domain

    @property
    def configured(self) -> DnsChoice:
        return self._magic_dns.defaults.choice

    def other_records(self) -> Sequence[tuple[str, DNSRecord]]:
        return [
            *(("settings", record) for record in self._magic_dns.defaults.records),
            *(("file", record) for record in self._magic_dns.watched),
            *((plugin, record) for plugin, record in self._contributed.by_plugin()),
        ]

    def config(self) -> DNSConfig:
        return dns_config(self._live.services, self._live.state, NOBODY)
