"""How long this replica may act as one of several: until its lease is over, by a clock that nothing stops."""

import time
from collections.abc import Callable


def boottime() -> float:
    """Seconds since the machine started, those included in which it slept or this process was stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """The time until which the others believe in this replica. It is never later here than in the database."""

    def __init__(self, seconds: float, clock: Callable[[], float] = boottime) -> None:
        self.seconds = seconds
        self.clock = clock
        self._until = float("-inf")

    def renewed(self, asked_at: float) -> None:
        """The database has renewed it, when asked at a moment of the clock."""
        self._until = asked_at + self.seconds

    def lost(self) -> None:
        """It is over, whatever was agreed."""
        self._until = float("-inf")

    @property
    def holds(self) -> bool:
        return self.clock() < self._until
