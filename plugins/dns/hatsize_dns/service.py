"""Serving the zones, for as long as the server runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from hatsize.hooks.lifecycle import Server
from hatsize.tailnet.model import Change
from hatsize_dns.addresses import Place
from hatsize_dns.asker import asker_at
from hatsize_dns.building import ZoneBuilder
from hatsize_dns.challenges import Challenges
from hatsize_dns.limits import RateLimit
from hatsize_dns.listening import listening
from hatsize_dns.pools import Pool
from hatsize_dns.publishing import Publisher, Removal
from hatsize_dns.record_layer import concerns_records
from hatsize_dns.responder import Responder
from hatsize_dns.settings import Settings
from hatsize_dns.zone import Catalogue


class Service:
    """The name server of one server. PluginError where something of its settings cannot be used."""

    def __init__(
        self, settings: Settings, server: Server, challenges: Challenges, publishers: Sequence[Publisher]
    ) -> None:
        self._settings = settings
        self._server = server
        backends = {publisher.name: publisher.backend for publisher in publishers}
        self._removal = Removal(challenges, backends, server)
        self._builder = ZoneBuilder(settings, server, challenges, self.touch)
        self._serial = int(server.now().timestamp())
        self.responder = Responder(Catalogue(self._builder.zones(lambda: self._serial)))
        self.limit = RateLimit(settings.rate, settings.rate_in_all)
        self.places: Sequence[Place] = ()
        """Where it answers, while it runs."""

    @property
    def pools(self) -> Sequence[Pool]:
        return self._builder.pools

    def touch(self) -> None:
        """Something in a zone is another than before: give the zones a new serial number."""
        self._serial = max(self._serial + 1, int(self._server.now().timestamp()))

    def take_note(self, change: Change) -> None:
        """The tailnet has changed."""
        if concerns_records(change):
            self._builder.records.changed()
        if change.kind != "node.reported":
            self.touch()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer questions, check addresses, follow files and take challenges away inside."""
        state = self._server.state
        async with (
            listening(self._settings.places, self.responder, lambda host: asker_at(state, host), self.limit) as places,
            anyio.create_task_group() as tasks,
        ):
            self.places = places
            tasks.start_soon(self._removal.run)
            for each in (*(pool.watch for pool in self.pools), *(file.follow for file in self._builder.files.values())):
                tasks.start_soon(each)
            yield
            tasks.cancel_scope.cancel()
