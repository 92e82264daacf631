"""Publishing challenges, and taking them away again, wherever that is."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import anyio

from hatsize.hooks.dns import PublishError
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Node
from hatsize_dns.challenges import Challenge, Challenges, TooManyError

log = logging.getLogger(__name__)

DUTY = "dns:taking challenges away"
LOOK_EVERY = 5.0
"""Seconds between looks at what is over."""
REMOVAL = 60.0
"""Seconds a removal may take."""


class Backend(Protocol):
    """Somewhere TXT records can be made."""

    async def add(self, name: str, value: str) -> None:
        """Return once the record is there for everybody who asks; PublishError."""

    async def remove(self, name: str, value: str) -> None:
        """Take the record away, and no other of that name; PublishError."""


class OwnZones:
    """Our own server, which has each challenge as long as it is remembered."""

    async def add(self, name: str, value: str) -> None: ...

    async def remove(self, name: str, value: str) -> None: ...


class Gone:
    """Where a challenge was published before the settings changed."""

    async def add(self, name: str, value: str) -> None:
        raise PublishError(f"{name} {value}: its publisher is not in the settings any more")

    remove = add


class Publisher:
    """A place for the challenges of some domains (`hatsize.hooks.dns.ChallengePublisher`)."""

    def __init__(
        self,
        name: str,
        domains: Sequence[str],
        backend: Backend,
        challenges: Challenges,
        until: Callable[[], float],
    ) -> None:
        """`until` tells when a challenge that is published now is to be taken away, in seconds since 1970."""
        self.name = name
        self.backend = backend
        self._domains = domains
        self._challenges = challenges
        self._until = until

    def domains(self) -> Sequence[str]:
        return self._domains

    async def publish(self, node: Node, name: str, record_type: str, value: str) -> None:
        del record_type
        try:
            # Remembered before it is made: whatever happens in between, it will be taken away.
            await self._challenges.add(Challenge(self.name, name.lower(), value, self._until()))
        except TooManyError as error:
            raise PublishError(str(error)) from None
        except StorageError as error:
            raise PublishError(f"the server cannot remember the record: {error}") from None
        await self.backend.add(name, value)
        log.info("published %s for node %d by %s", name, node.id, self.name)


class Removal:
    """Takes away what is over: one replica for all."""

    def __init__(self, challenges: Challenges, backends: Mapping[str, Backend], server: Server) -> None:
        self._challenges = challenges
        self._backends = backends
        self._server = server

    async def run(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            await self._safely()
            await anyio.sleep(LOOK_EVERY)

    async def round(self) -> None:
        """Take away what is over now, where this is the replica to do it."""
        if not self._server.is_ours(DUTY):
            return
        async with anyio.create_task_group() as tasks:
            for challenge in self._challenges.due(self._now()):
                tasks.start_soon(self._remove, challenge)

    async def _remove(self, challenge: Challenge) -> None:
        backend = self._backends.get(challenge.publisher, Gone())
        try:
            with anyio.fail_after(REMOVAL):
                await backend.remove(challenge.name, challenge.value)
        except (PublishError, TimeoutError) as error:
            later = await self._challenges.postpone(challenge, self._now())
            then = "" if later else "; given up, take it away by hand"
            log.warning("%s %s is still published: %s%s", challenge.name, challenge.value, error, then)
        else:
            await self._challenges.remove(challenge)

    async def _safely(self) -> None:
        try:
            await self.round()
        except* StorageError as group:
            log.warning("challenges stay published: %s", group.exceptions[0])

    def _now(self) -> float:
        return self._server.now().timestamp()
