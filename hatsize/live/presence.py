"""Which nodes have a map stream: here, or at another replica."""

from collections.abc import Iterable


class Presence:
    """The ids of the nodes that are connected, by where they are. A node that moves is at both places for a while."""

    def __init__(self) -> None:
        self._here: set[int] = set()
        self._elsewhere: frozenset[int] = frozenset()

    def is_here(self, node_id: int) -> bool:
        return node_id in self._here

    def is_elsewhere(self, node_id: int) -> bool:
        return node_id in self._elsewhere

    def here(self) -> frozenset[int]:
        return frozenset(self._here)

    def came(self, node_id: int) -> None:
        """A node's map stream opened here."""
        self._here.add(node_id)

    def left(self, node_id: int) -> bool:
        """A node's map stream is no longer here; whether it is nowhere now."""
        self._here.discard(node_id)
        return node_id not in self._elsewhere

    def be_elsewhere(self, node_ids: frozenset[int]) -> tuple[Iterable[int], Iterable[int]]:
        """These nodes are connected to other replicas, and no others are; who came by that, and who left."""
        former, self._elsewhere = self._elsewhere, node_ids
        return sorted(node_ids - former - self._here), sorted(former - node_ids - self._here)
