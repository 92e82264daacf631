"""How late the event loop is: what everything else waits for."""

from time import monotonic

import anyio

from hatsize.hooks.metrics import Figure, Histogram

EVERY = 0.25
"""Seconds between looks."""


class LoopLag:
    """Measures by how much a sleep is longer than it was asked to be."""

    def __init__(self) -> None:
        self._lags = Histogram()

    async def measure(self) -> None:
        """Look again and again until cancelled."""
        while True:
            asked = monotonic()
            await anyio.sleep(EVERY)
            self._lags.observe(max(0.0, monotonic() - asked - EVERY))

    def figure(self) -> Figure:
        """The distribution so far."""
        text = "How late the event loop ran what was due."
        return Figure("hatsize_loop_lag_seconds", "histogram", text, [self._lags.distribution()])
