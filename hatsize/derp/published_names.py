"""The names a DERP host publishes for clients whose DNS fails, looked up again from time to time."""

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence

import anyio

_log = logging.getLogger(__name__)
_EVERY = 600.0


class PublishedNames:
    """Addresses by name. Call it for what is known; `run` it to know something."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._addresses: dict[str, list[str]] = {}

    def __call__(self) -> Mapping[str, list[str]]:
        return self._addresses

    async def run(self) -> None:
        """Look all names up every ten minutes until cancelled."""
        while True:
            for name in self._names:
                await self._look_up(name)
            await anyio.sleep(_EVERY)

    async def _look_up(self, name: str) -> None:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            _log.warning("cannot look up %s to publish it: %s", name, error)
            return
        self._addresses[name] = [str(address[0]) for *_, address in found]
