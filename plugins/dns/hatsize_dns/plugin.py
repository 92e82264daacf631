"""DNS beyond MagicDNS: zones of our own, challenge records wherever they belong, names whose addresses are checked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import click

from hatsize.hooks import hookimpl
from hatsize.hooks.dns import ChallengePublisher
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.metrics import Figure
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Change
from hatsize.wire.tailcfg import DNSRecord
from hatsize_dns.building import publishers
from hatsize_dns.challenges import Challenges
from hatsize_dns.commands import zones
from hatsize_dns.figures import figures
from hatsize_dns.former_file import take_over
from hatsize_dns.publishing import Publisher
from hatsize_dns.service import Service
from hatsize_dns.settings import Settings


class DnsPlugin:
    """A name server for zones of your own, challenges for certificates, and names whose addresses are checked."""

    hatsize_api = "1.1"
    service: Service | None = None
    """While the server runs."""
    _settings: Settings
    _setup: Setup
    _challenges: Challenges
    _publishers: Sequence[Publisher]

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        self._settings = setup.settings
        self._setup = setup
        self._challenges = Challenges()
        self._publishers = publishers(self._settings, self._challenges)
        self.service = None

    @hookimpl
    def hatsize_register_challenge_publisher(self) -> Sequence[ChallengePublisher]:
        return self._publishers

    @hookimpl
    def hatsize_running(self, server: Server) -> AbstractAsyncContextManager[None]:
        self._challenges.keep_in(server.store("dns"))
        self.service = Service(self._settings, server, self._challenges, self._publishers)
        return self._running(self.service, self._challenges, self._setup.data_dir / self._setup.name)

    @asynccontextmanager
    async def _running(self, service: Service, challenges: Challenges, folder: Path) -> AsyncIterator[None]:
        await take_over(folder, challenges)
        async with service.running():
            yield

    @hookimpl
    async def hatsize_changed(self, change: Change) -> None:
        if self.service is not None:
            self.service.take_note(change)

    @hookimpl
    async def hatsize_dns_records(self) -> Sequence[DNSRecord]:
        """The pools' addresses, for clients that know all names of the base domain themselves."""
        pools = self.service.pools if self.service else ()
        return [DNSRecord(Name=pool.settings.name, Value=address) for pool in pools for address in pool.told]

    @hookimpl
    def hatsize_metrics(self) -> Sequence[Figure]:
        return figures(self.service, self._challenges) if self.service else ()

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [zones(self._settings, self._setup.stored)]


plugin = DnsPlugin()
