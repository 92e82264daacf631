"""Whose the nodes are, as clients are shown it: by profile the bitset of its nodes."""

from hatsize.netmap.scene import Scene
from hatsize.tailnet.model import Node

REMEMBERED = 64


class Owners:
    """Finds the profiles of any set of nodes at the cost of the profiles there are, not of the nodes."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._nodes: dict[int, int] = {}
        """Bitsets of ordinals by profile."""
        self._of: dict[int, tuple[int, int]] = {}
        """Profile and ordinal's bit by node."""
        self._found: dict[int, frozenset[int]] = {}
        """What was found for the last sets of nodes: many readers ask about the same ones."""

    def put(self, node: Node) -> None:
        """Take in a node, or what it has become."""
        now = self._scene.profile_id(node), 1 << self._scene.state.ordinals.of(node.id)
        if self._of.get(node.id) != now:
            self.remove(node.id)
            self._found.clear()
            self._of[node.id] = now
            self._nodes[now[0]] = self._nodes.get(now[0], 0) | now[1]

    def remove(self, node_id: int) -> None:
        profile, bit = self._of.pop(node_id, (0, 0))
        if bit:
            self._found.clear()
            self._nodes[profile] &= ~bit

    def of(self, nodes: int) -> frozenset[int]:
        """The ids of the profiles of a bitset of nodes."""
        found = self._found.get(nodes)
        if found is None:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            found = frozenset(profile for profile, theirs in self._nodes.items() if theirs & nodes)
            self._found[nodes] = found
        return found

    def new(self, nodes: int, *, known: int) -> set[int]:
        """Those of a bitset of nodes that none of the known nodes has."""
        return {profile for profile in self.of(nodes) if not self._nodes[profile] & known}
