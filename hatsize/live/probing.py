"""Subnet routers that stand in for each other are probed, so that a frozen one is replaced before its stream breaks."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

import anyio

from hatsize.live.tailnet import LiveTailnet

log = logging.getLogger(__name__)

IDLE = 1.0
"""Seconds between looks at the settings while probing is off."""

Ping = Callable[[int, float], Awaitable[bool]]
"""Asks a node for a sign of life, and says whether it came within so many seconds."""


class Prober:
    """Asks routers for a sign of life, all at once, every `probe_interval`, and tells the tailnet who gave one."""

    def __init__(self, live: LiveTailnet, ping: Ping) -> None:
        self._live = live
        self._ping = ping
        self._silent: set[int] = set()

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            interval = self._live.terms.probe_interval.total_seconds()
            started = monotonic()
            if interval:
                await self.round()
            await anyio.sleep(max((interval or IDLE) - (monotonic() - started), 0.0))

    async def round(self) -> None:
        """Probe each router once."""
        answered: dict[int, bool] = {}
        async with anyio.create_task_group() as tasks:
            for node_id in self._live.to_probe():
                tasks.start_soon(self._probe, node_id, answered)
        there = set(self._live.to_probe())
        self._judge({node_id: alive for node_id, alive in answered.items() if alive or node_id in there})

    async def _probe(self, node_id: int, answered: dict[int, bool]) -> None:
        answered[node_id] = await self._ping(node_id, self._live.terms.probe_timeout.total_seconds())

    def _judge(self, answered: dict[int, bool]) -> None:
        silent = {node_id for node_id, alive in answered.items() if not alive}
        for node_id in sorted(silent - self._silent):
            log.warning("router %d does not answer: where others can, they serve its routes", node_id)
        for node_id in sorted(self._silent & answered.keys() - silent):
            log.info("router %d answers again", node_id)
        self._silent = silent
        self._live.probed(answered)
