"""The netmap of one tailnet: watches changes, and tells each reader what it has not been told yet."""

from dataclasses import dataclass, field

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap import peers
from hatsize.netmap.blocks import PeerBlocks
from hatsize.netmap.farewell import removed
from hatsize.netmap.journal import NOTHING, Aspect, Dirty, Journal
from hatsize.netmap.own import OwnParts, own_parts
from hatsize.netmap.pieces import Piece, frame, members
from hatsize.netmap.scene import Scene
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.ordinals import each_bit
from hatsize.wire import tailcfg


@dataclass(slots=True)
class Reader:
    """A map session's place: what it has been told so far. It belongs to the session; only `Netmap` moves it on."""

    node_id: int
    cap_version: int
    zstd: bool = True
    version: int = -1
    """The state's version it stands at; -1 before the first message."""
    told: int = 0
    """The peers it knows, as a bitset."""
    own: OwnParts = field(default_factory=OwnParts)


class Netmap:
    """Netmaps of a tailnet, whole and as differences. Everything shared is encoded once and kept until it changes."""

    def __init__(self, scene: Scene, policy: CompiledPolicy) -> None:
        self.scene = scene
        self.policy = policy
        state = scene.state
        self.journal = Journal(state.version)
        self.version = state.version
        """Counts what readers can notice; at least the state's own version."""
        self._blocks = PeerBlocks(scene)
        self._known: dict[int, Node] = dict(state.table(Node))
        self._own_changed: dict[int, int] = {}
        self._afresh: dict[int, int] = {}
        self._all_changed = self.version
        self._hidden = state.ordinals.bits(node.id for node in self._known.values() if not node.authorized)
        self._frames: dict[tuple[object, ...], bytes] = {}

    def observe(self, change: Change) -> None:
        """Take note of a change the state has just applied."""
        self._advance()
        for table, record_id in change.deletes:
            if table == Node.table:
                self._known.pop(record_id, None)
                self._blocks.forget(record_id)
                self._own_changed.pop(record_id, None)
                self._afresh.pop(record_id, None)
        for record in change.puts:
            if isinstance(record, Node):
                self._observe_node(record)
            elif record.table == "user":
                self._touch_everyone_of(record.id)

    def recompiled(self, policy: CompiledPolicy, affected: int | None) -> None:
        """Go over to a new compiled policy; `affected` is the bitset of nodes it means something else for, None for
        all."""
        former, self.policy = self.policy, policy
        self._advance()
        if affected is None:
            self._all_changed = self.version
            self._judge_anew(former)
            return
        for node_id in self.scene.state.ordinals.ids(affected):
            self._own_changed[node_id] = self.version

    def _judge_anew(self, former: CompiledPolicy) -> None:
        """After a new policy, find the nodes whose entries read differently, and the viewers to whom all do."""
        self._blocks.clear()
        for node in self._known.values():
            same_view = former.route_variant(node.id, node.id) == self.policy.route_variant(node.id, node.id)
            if not same_view:
                self._afresh[node.id] = self.version
            if node.approved_routes or former.peer_cap_map(node.id, node.id) != self.policy.peer_cap_map(
                node.id, node.id
            ):
                self._note(node.id, Aspect.WHOLE)

    def peers_changed(self, node_ids: list[int]) -> None:
        """These nodes must be told anew to whoever sees them, as when their routes' primaries moved."""
        self._advance()
        for node_id in node_ids:
            self._note(node_id, Aspect.WHOLE)
            self._own_changed[node_id] = self.version

    def everyone_changed(self) -> None:
        """Something every node is told of itself changed: DNS, relays, settings."""
        self._advance()
        self._all_changed = self.version

    def set_online(self, node_id: int, online: bool) -> bool:
        """Note that a node came or went; whether that is news."""
        if online == (node_id in self.scene.online):
            return False
        (self.scene.online.add if online else self.scene.online.discard)(node_id)
        self._advance()
        self._note(node_id, Aspect.ONLINE)
        return True

    def next(self, reader: Reader) -> bytes | None:
        """The frame that brings a reader up to date, or None when there is nothing to tell it. Moves the reader on."""
        node = self._known.get(reader.node_id)
        if node is None or reader.version == self.version:
            return None
        known = reader.version >= self._afresh.get(node.id, 0)
        dirty = self.journal.since(reader.version) if known else None
        visible = self._visible(node)
        message = (
            self._whole(reader, node, visible) if dirty is None else self._difference(reader, node, visible, dirty)
        )
        reader.version = self.version
        reader.told = visible
        return message

    def forgotten_before(self, version: int) -> None:
        """All readers stand at `version` or later, so removed nodes' ordinals may be used again."""
        self.scene.state.ordinals.release(min(version, self.journal.floor))

    def farewell(self, node: Node, reader: Reader) -> bytes:
        """The last frame for a node that was removed."""
        profile = self.scene.profile(self.scene.profile_id(node))
        return removed(node, self.scene.fqdn(node), profile, zstd=reader.zstd)

    def _advance(self) -> None:
        self.version = max(self.version + 1, self.scene.state.version)
        self._frames.clear()

    def _note(self, node_id: int, aspects: Aspect) -> None:
        ordinal = self.scene.state.ordinals.get(node_id)
        if ordinal is not None:
            self.journal.note(self.version, ordinal, aspects)
            self._blocks.stale(node_id, ordinal)

    def _observe_node(self, node: Node) -> None:
        old = self._known.get(node.id)
        self._known[node.id] = node
        bit = 1 << self.scene.state.ordinals.of(node.id)
        self._hidden = self._hidden & ~bit if node.authorized else self._hidden | bit
        aspects = peers.what_changed(old, node)
        if aspects:
            self._note(node.id, aspects)
        if aspects & (Aspect.WHOLE | Aspect.KEY_EXPIRY):
            self._own_changed[node.id] = self.version

    def _touch_everyone_of(self, user_id: int) -> None:
        for node_id in self.scene.state.index.nodes_by_user.get(user_id, ()):
            self._note(node_id, Aspect.WHOLE)
            self._own_changed[node_id] = self.version

    def _visible(self, node: Node) -> int:
        if not node.authorized or peers.is_expired(node, self.scene.now()):
            return 0
        return self.policy.visible(node.id) & ~self._hidden

    def _whole(self, reader: Reader, node: Node, visible: int) -> bytes:
        reader.own = OwnParts()
        own = own_parts(self.scene, self.policy, node, reader.cap_version, reader.own, first=True)
        owners = {self.scene.profile_id(node)} | self._owners(visible)
        own.append(("UserProfiles", self._profiles(owners)))
        if not visible:
            return frame([Piece(b"{" + members(own) + b"}")], zstd=reader.zstd)
        head = Piece(b"{" + members(own) + b',"Peers":[')
        blocks = self._blocks.pieces(self.policy, node.id, visible)
        return frame([head, *blocks, END_OF_PEERS], zstd=reader.zstd)

    def _difference(self, reader: Reader, node: Node, visible: int, dirty: Dirty) -> bytes | None:
        own: list[tuple[str, bytes]] = []
        if max(self._own_changed.get(node.id, -1), self._all_changed) > reader.version:
            own = own_parts(self.scene, self.policy, node, reader.cap_version, reader.own, first=False)
        added = visible & ~reader.told
        lost = reader.told & ~visible
        stays = visible & reader.told
        whole = added | (dirty.whole & stays)
        patched = dirty.patched & stays & ~added
        if not own:
            if not (whole or lost or patched):
                return None
            key = (reader.version, whole, lost, patched, self.policy.class_of(node.id) if whole else 0, reader.zstd)
            shared = self._frames.get(key)
            if shared is None:
                body = b"{" + members(self._peer_members(node.id, whole, lost, patched, dirty)) + b"}"
                shared = self._frames[key] = frame([Piece(body)], zstd=reader.zstd)
            return shared
        if whole or lost or patched:
            own += self._peer_members(node.id, whole, lost, patched, dirty)
        return frame([Piece(b"{" + members(own) + b"}")], zstd=reader.zstd)

    def _peer_members(
        self, viewer_id: int, whole: int, lost: int, patched: int, dirty: Dirty = NOTHING
    ) -> list[tuple[str, bytes]]:
        ordinals = self.scene.state.ordinals
        found: list[tuple[str, bytes]] = []
        if lost:
            found.append(("PeersRemoved", tailcfg.encode(sorted(ordinals.ids(lost)))))
        if whole:
            ids = sorted(ordinals.ids(whole))
            encoded = [self._blocks.entry(self.policy, viewer_id, node_id) for node_id in ids]
            found.append(("PeersChanged", b"[" + b",".join(encoded) + b"]"))
            found.append(("UserProfiles", self._profiles(self._owners(whole))))
        if patched:
            changes = [
                peers.patch(self.scene, self._known[ordinals.at(ordinal)], dirty.aspects[ordinal])
                for ordinal in each_bit(patched)
            ]
            changes.sort(key=lambda change: change.NodeID)
            found.append(("PeersChangedPatch", tailcfg.encode(changes)))
        return found

    def _owners(self, bits: int) -> set[int]:
        return {self.scene.profile_id(self._known[node_id]) for node_id in self.scene.state.ordinals.ids(bits)}

    def _profiles(self, owners: set[int]) -> bytes:
        return tailcfg.encode([self.scene.profile(profile_id) for profile_id in sorted(owners)])


END_OF_PEERS = Piece(b"]}")
