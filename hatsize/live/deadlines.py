"""Moments at which something has to be done to a node."""

from datetime import datetime
from heapq import heappop, heappush


class Deadlines:
    """A set of (moment, node) that gives back those that have come. A newer deadline of a node replaces the older."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int]] = []
        self._of: dict[int, datetime] = {}

    def set(self, node_id: int, moment: datetime | None) -> None:
        """The node's deadline is this moment, or there is none."""
        if moment is None:
            self._of.pop(node_id, None)
        elif self._of.get(node_id) != moment:
            self._of[node_id] = moment
            heappush(self._heap, (moment, node_id))

    def due(self, now: datetime) -> list[int]:
        """The nodes whose deadline has come; they have none any more."""
        found: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            moment, node_id = heappop(self._heap)
            if self._of.get(node_id) == moment:
                del self._of[node_id]
                found.append(node_id)
        return found
