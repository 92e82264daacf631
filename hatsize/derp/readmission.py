"""Asking again about clients that are connected already, so that one who may no longer use the relay loses it."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from math import ceil

import anyio

from hatsize.wire.keys import NodeKey

_log = logging.getLogger(__name__)
AT_ONCE = 8
"""Questions that may be under way at once."""

Connected = Callable[[], Iterable[tuple[NodeKey, str]]]
"""Who is connected: each node key with the address it comes from."""
Question = Callable[[NodeKey, str], Awaitable[bool | None]]
"""Whether a node may use the relay; None where nobody says."""


class Readmission:
    """Asks about everybody once in `every` seconds, evenly spread. Only a clear no cuts a client off."""

    def __init__(self, connected: Connected, ask: Question, evict: Callable[[NodeKey], int], *, every: float) -> None:
        self._connected = connected
        self._ask = ask
        self._evict = evict
        self._every = every

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.round()

    async def round(self) -> None:
        """Ask about those who are connected now, over the time of one round."""
        turns = max(int(self._every), 1)
        clients = list(dict(self._connected()).items())
        share = max(ceil(len(clients) / turns), 1)
        for turn in range(turns):
            await anyio.sleep(self._every / turns)
            await self._ask_about(clients[turn * share : (turn + 1) * share])

    async def _ask_about(self, clients: list[tuple[NodeKey, str]]) -> None:
        limit = anyio.Semaphore(AT_ONCE)

        async def judge(key: NodeKey, address: str) -> None:
            async with limit:
                if await self._ask(key, address) is False and self._evict(key):
                    _log.info("%s is cut off: it is no longer admitted", key)

        async with anyio.create_task_group() as group:
            for key, address in clients:
                group.start_soon(judge, key, address)
