"""Peers encoded in blocks of neighbouring ordinals, compressed once, so that a whole netmap is a join of ready
bytes."""

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap import peers
from hatsize.netmap.pieces import Part, Piece
from hatsize.netmap.scene import Scene
from hatsize.tailnet.model import Node
from hatsize.tailnet.ordinals import each_bit

SIZE = 64
"""Ordinals in a block: a change of one node costs the encoding of one entry and the compression of this many."""
_MASK = (1 << SIZE) - 1
_KEPT_PER_BLOCK = 256
"""Variants of one block that are kept; classes with different views of it take one each."""


class PeerBlocks:
    """The encoded peers of a tailnet, by variant and block."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._entries: dict[int, dict[object, bytes]] = {}
        self._blocks: dict[int, dict[tuple[int, int, bool], Piece]] = {}

    def stale(self, node_id: int, ordinal: int) -> None:
        """A node changed: its entry and its block are encoded anew when next needed."""
        self._entries.pop(node_id, None)
        self._blocks.pop(ordinal // SIZE, None)

    def forget(self, node_id: int) -> None:
        self._entries.pop(node_id, None)

    def clear(self) -> None:
        """Every entry may read differently now."""
        self._entries.clear()
        self._blocks.clear()

    def entry(self, policy: CompiledPolicy, viewer_id: int, node_id: int) -> bytes:
        """A peer's entry as a viewer is told it."""
        variant = policy.route_variant(viewer_id, node_id)
        variants = self._entries.setdefault(node_id, {})
        found = variants.get(variant)
        if found is None:
            node = self._scene.state.get(Node, node_id)
            found = variants[variant] = peers.peer(self._scene, policy, viewer_id, node)
        return found

    def pieces(self, policy: CompiledPolicy, viewer_id: int, visible: int) -> list[Part]:
        """The visible peers' entries, comma-separated, as parts of one array.

        In the order of ordinals: that of ids, until an ordinal has been given out again. Clients sort what they get.
        """
        viewer_class = policy.class_of(viewer_id)
        own = self._scene.state.ordinals.of(viewer_id) // SIZE
        found: list[Part] = []
        number = 0
        while visible:
            here = visible & _MASK
            if here and number == own:  # nobody else leaves out this viewer
                found.append(self._encoded(policy, viewer_id, number, here, leading=not found))
            elif here:
                found.append(self._block(policy, viewer_id, viewer_class, number, here, leading=not found))
            visible >>= SIZE
            number += 1
        return found

    def _block(
        self, policy: CompiledPolicy, viewer_id: int, viewer_class: int, number: int, here: int, *, leading: bool
    ) -> Piece:
        kept = self._blocks.setdefault(number, {})
        key = (viewer_class, here, leading)
        piece = kept.get(key)
        if piece is None:
            piece = Piece(self._encoded(policy, viewer_id, number, here, leading=leading))
            if len(kept) >= _KEPT_PER_BLOCK:
                kept.clear()
            kept[key] = piece
        return piece

    def _encoded(self, policy: CompiledPolicy, viewer_id: int, number: int, here: int, *, leading: bool) -> bytes:
        at = self._scene.state.ordinals.at
        entries = [self.entry(policy, viewer_id, at(number * SIZE + bit)) for bit in each_bit(here)]
        return (b"" if leading else b",") + b",".join(entries)
