"""Dense numbers for nodes, so that a set of nodes can be an int used as a bitset."""

from collections import deque
from collections.abc import Iterable, Iterator


class Ordinals:
    """Gives each node the lowest free ordinal and keeps it while the node exists.

    A removed node's ordinal is given out again only after `release`, when nobody remembers it any more.
    """

    def __init__(self) -> None:
        self._of: dict[int, int] = {}
        self._at: list[int] = []
        self._free: list[int] = []
        self._resting: deque[tuple[int, int]] = deque()
        self.all = 0
        """The bitset of the nodes there are."""

    def add(self, node_id: int) -> int:
        """The node's ordinal, a new one if it has none."""
        ordinal = self._of.get(node_id)
        if ordinal is None:
            if self._free:
                ordinal = self._free.pop()
                self._at[ordinal] = node_id
            else:
                ordinal = len(self._at)
                self._at.append(node_id)
            self._of[node_id] = ordinal
            self.all |= 1 << ordinal
        return ordinal

    def remove(self, node_id: int, version: int) -> None:
        """Take a node out; its ordinal rests from this version of the state on."""
        ordinal = self._of.pop(node_id)
        self.all &= ~(1 << ordinal)
        self._resting.append((version, ordinal))

    def release(self, floor: int) -> None:
        """Free the ordinals of nodes removed at or before `floor`: nobody's knowledge is older than that."""
        while self._resting and self._resting[0][0] <= floor:
            self._free.append(self._resting.popleft()[1])

    def of(self, node_id: int) -> int:
        """A node's ordinal; KeyError when it has none."""
        return self._of[node_id]

    def get(self, node_id: int) -> int | None:
        return self._of.get(node_id)

    def at(self, ordinal: int) -> int:
        """The id of the node that has the ordinal, or had it last."""
        return self._at[ordinal]

    def bits(self, node_ids: Iterable[int]) -> int:
        """The bitset of some nodes; those that are gone are left out."""
        found = 0
        for node_id in node_ids:
            ordinal = self._of.get(node_id)
            if ordinal is not None:
                found |= 1 << ordinal
        return found

    def ids(self, bits: int) -> list[int]:
        """The node ids of a bitset, in the order of their ordinals."""
        return [self._at[ordinal] for ordinal in each_bit(bits)]


def each_bit(bits: int) -> Iterator[int]:
    """The positions of the set bits, lowest first; linear in the bitset's length and in the bits set."""
    position = 0
    while bits:
        word = bits & 0xFFFF_FFFF_FFFF_FFFF
        while word:
            low = word & -word
            yield position + low.bit_length() - 1
            word ^= low
        bits >>= 64
        position += 64
