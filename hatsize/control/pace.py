"""When everybody is told: at once when nothing else is going on, and in bigger steps the more is."""

from collections.abc import Callable

LONGEST_REST = 0.25
"""Seconds at most of rest after telling everybody; in a storm that takes longer to tell than this, twice as long as
that takes, so that those who join get their turn."""
LONE, STORM = 2, 4
"""A rest is as long as the telling took when one or two nodes had changed, and so many times as long for each one more:
a storm is told in bigger steps, and a lone change at once."""
PATIENCE, LONGEST_WAIT = 10, 0.1
"""News waits for whoever is at the door so many times as long as telling everybody takes, and so many seconds at most:
where little is saved by it, hardly at all."""


class Door:
    """Clients that have connected and have not opened a map stream yet.

    Such a one can speak to nobody, so the others are told of it once it can: in one message, with where it is and that
    it is online. Among many who join at once somebody is always at the door, so that these are told of together.
    """

    def __init__(self) -> None:
        self._there: set[object] = set()
        self.when_empty: Callable[[], None] = lambda: None
        """Called when the last one has gone in or away."""

    def __len__(self) -> int:
        return len(self._there)

    def enter(self, who: object) -> None:
        self._there.add(who)

    def leave(self, who: object) -> None:
        """It has opened a stream, or is gone. May be said more than once."""
        if who in self._there:
            self._there.discard(who)
            if not self._there:
                self.when_empty()

    def forget(self) -> None:
        """Nobody waits any longer for those who are there."""
        self._there.clear()


class Pace:
    """How long news has to wait. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._rested = 0.0
        self._patience = 0.0

    def pause(self, since: float, now: float, *, expecting: bool) -> float:
        """Seconds that news must wait yet which has waited since a moment; 0 or less for none."""
        return max(self._rested, since + self._patience if expecting else 0.0) - now

    def told(self, now: float, took: float, changed: int) -> None:
        """Everybody has been told, in so many seconds, of so many nodes that had changed."""
        longest = LONGEST_REST if changed <= LONE else max(LONGEST_REST, 2 * took)
        self._rested = now + min(took * max(1, STORM * (changed - LONE)), longest)
        self._patience = min(took * PATIENCE, LONGEST_WAIT)
