"""The netmap of one tailnet: watches changes, and tells each reader what it has not been told yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap import peers
from hatsize.netmap.blocks import PeerBlocks
from hatsize.netmap.farewell import removed
from hatsize.netmap.journal import NOTHING, Aspect, Dirty, Journal
from hatsize.netmap.own import Own, Told
from hatsize.netmap.owners import Owners
from hatsize.netmap.pieces import Draft
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
    own: Told = field(default_factory=Told)


class News(NamedTuple):
    """What a reader has to be told of its peers, as bitsets."""

    whole: int
    lost: int
    patched: int


class Netmap:
    """Netmaps of a tailnet, whole and as differences. Everything shared is encoded once and kept until it changes."""

    def __init__(self, scene: Scene, policy: CompiledPolicy) -> None:
        self.scene = scene
        self.policy = policy
        state = scene.state
        self.journal = Journal(state.version)
        self._blocks = PeerBlocks(scene)
        self._own = Own(scene)
        self._owners = Owners(scene)
        self._known: dict[int, Node] = dict(state.table(Node))
        for node in self._known.values():
            self._owners.put(node)
        self._own_changed: dict[int, int] = {}
        """By node, the version at which what it is told of itself last changed."""
        self._rules_changed: dict[int, int] = {}
        """By node, the version at which the policy last gave it other rules."""
        self._afresh: dict[int, int] = {}
        self._classes = {node_id: policy.class_of(node_id) for node_id in self._known}
        """The policy's class of each node; in another one the same peers may be told otherwise."""
        self._all_changed = state.version
        self._hidden = state.ordinals.bits(node.id for node in self._known.values() if not node.authorized)
        self._frames: dict[tuple[object, ...], bytes] = {}

    @property
    def version(self) -> int:
        """Counts what readers can notice."""
        return self.scene.state.version

    def observe(self, change: Change) -> None:
        """Take note of a change the state has just applied."""
        self._frames.clear()
        for table, record_id in change.deletes:
            if table == Node.table:
                self._known.pop(record_id, None)
                self._blocks.forget(record_id)
                self._owners.remove(record_id)
                for kept in (self._own_changed, self._rules_changed, self._afresh, self._classes):
                    kept.pop(record_id, None)
        for record in change.puts:
            if isinstance(record, Node):
                self._observe_node(record)
            elif record.table == "user":
                self._touch_everyone_of(record.id)

    def recompiled(self, policy: CompiledPolicy, affected: int | None) -> None:
        """Go over to a new compiled policy; `affected` is the bitset of nodes that are themselves told something
        else, None when all may be."""
        former, self.policy = self.policy, policy
        self._tick()
        if affected is None:
            self._all_changed = self.version
            self._judge_anew(former)
            self._classes = {node_id: policy.class_of(node_id) for node_id in self._known}
            return
        for node_id in self.scene.state.ordinals.ids(affected):
            self._rules_changed[node_id] = self.version
            node_class = policy.class_of(node_id)
            if self._classes.get(node_id, node_class) != node_class:
                self._afresh[node_id] = self.version
            self._classes[node_id] = node_class

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
        self._tick()
        for node_id in node_ids:
            self._note(node_id, Aspect.WHOLE)
            self._own_changed[node_id] = self.version

    def everyone_changed(self) -> None:
        """Something every node is told of itself changed: DNS, relays, settings."""
        self._tick()
        self._all_changed = self.version

    def set_online(self, node_id: int, online: bool) -> None:
        """Note that a node came, or went; its caller knows that this is news."""
        (self.scene.online.add if online else self.scene.online.discard)(node_id)
        self._tick()
        self._note(node_id, Aspect.ONLINE)

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
        reader.version, reader.told = self.version, visible
        return message

    def sees(self, viewer_id: int, node_id: int) -> bool:
        """Whether a node is among the peers of another."""
        viewer, ordinal = self._known.get(viewer_id), self.scene.state.ordinals.get(node_id)
        return viewer is not None and ordinal is not None and bool(self._visible(viewer) >> ordinal & 1)

    def changed_since(self, version: int) -> int:
        """How many nodes have changed after a version, as far as the journal reaches back."""
        dirty = self.journal.since(max(version, self.journal.floor)) or NOTHING
        return (dirty.whole | dirty.patched).bit_count()

    def forgotten_before(self, version: int) -> None:
        """All readers stand at `version` or later, so ordinals of nodes removed until then may be used again."""
        self.scene.state.ordinals.release(version)

    def farewell(self, node: Node, reader: Reader) -> bytes:
        """The last frame for a node that was removed."""
        profile = self.scene.profile(self.scene.profile_id(node))
        return removed(node, self.scene.fqdn(node), profile, zstd=reader.zstd)

    def _tick(self) -> None:
        self.scene.state.tick()
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
        self._owners.put(node)
        aspects = peers.what_changed(old, node, self.scene.now())
        if aspects:
            self._note(node.id, aspects)
        if aspects & (Aspect.WHOLE | Aspect.KEY_EXPIRY):
            self._own_changed[node.id] = self.version

    def _touch_everyone_of(self, user_id: int) -> None:
        for node_id in self.scene.state.index.nodes_by_user.get(user_id, ()):
            self._owners.put(self._known[node_id])
            self._note(node_id, Aspect.WHOLE | Aspect.OWNER)
            self._own_changed[node_id] = self.version

    def _visible(self, node: Node) -> int:
        if not node.authorized or peers.is_expired(node, self.scene.now()):
            return 0
        return self.policy.visible(node.id) & ~self._hidden

    def _whole(self, reader: Reader, node: Node, visible: int) -> bytes:
        reader.own = Told()
        draft = Draft()
        self._own.everything(draft, self.policy, node, reader.cap_version, reader.own, first=True)
        self._add_profiles(draft, self._own_profile(reader, node) | self._owners.of(visible))
        if visible:
            draft.add("Peers", b"[", *self._blocks.pieces(self.policy, node.id, visible), b"]")
        elif reader.told:  # an empty `Peers` would change nothing
            draft.add("PeersRemoved", self._ids(reader.told))
        return draft.frame(zstd=reader.zstd)

    def _difference(self, reader: Reader, node: Node, visible: int, dirty: Dirty) -> bytes | None:
        draft = Draft()
        owners = self._add_own(draft, reader, node)
        stays = visible & reader.told
        whole = (visible & ~reader.told) | (dirty.whole & stays)
        news = News(whole, lost=reader.told & ~visible, patched=dirty.patched & stays & ~whole)
        if whole:
            owners |= self._owners.new(whole, known=reader.told & ~dirty.owner) - {self.scene.profile_id(node)}
        if draft:
            self._add_peers(draft, node.id, news, dirty, owners)
            return draft.frame(zstd=reader.zstd)
        if not any(news) and not owners:
            return None
        node_class = self.policy.class_of(node.id) if whole else 0
        key = (reader.version, news, node_class, frozenset(owners), reader.zstd)
        shared = self._frames.get(key)
        if shared is None:
            self._add_peers(draft, node.id, news, dirty, owners)
            shared = self._frames[key] = draft.frame(zstd=reader.zstd)
        return shared

    def _add_own(self, draft: Draft, reader: Reader, node: Node) -> set[int]:
        """Add what changed of the reader's own; the profile it must be told with it, if any."""
        if max(self._own_changed.get(node.id, -1), self._all_changed) > reader.version:
            self._own.everything(draft, self.policy, node, reader.cap_version, reader.own, first=False)
            return self._own_profile(reader, node)
        if self._rules_changed.get(node.id, -1) > reader.version:
            self._own.rules(draft, self.policy, node, reader.own)
        return set()

    def _add_peers(self, draft: Draft, viewer_id: int, news: News, dirty: Dirty, owners: set[int]) -> None:
        ordinals = self.scene.state.ordinals
        if news.lost:
            draft.add("PeersRemoved", self._ids(news.lost))
        if news.whole:
            ids = sorted(ordinals.ids(news.whole))
            encoded = [self._blocks.entry(self.policy, viewer_id, node_id) for node_id in ids]
            draft.add("PeersChanged", b"[" + b",".join(encoded) + b"]")
        if owners:
            self._add_profiles(draft, owners)
            # Not news, but 1.102 takes over into its status what came with something it cannot apply as a difference.
            draft.add("Domain", tailcfg.encode(self.scene.domain))
        if news.patched:
            changes = [
                peers.patch(self.scene, self._known[ordinals.at(ordinal)], dirty.aspects[ordinal])
                for ordinal in each_bit(news.patched)
            ]
            changes.sort(key=lambda change: change.NodeID)
            draft.add("PeersChangedPatch", tailcfg.encode(changes))

    def _add_profiles(self, draft: Draft, profiles: Iterable[int]) -> None:
        draft.add("UserProfiles", tailcfg.encode([self.scene.profile(profile_id) for profile_id in sorted(profiles)]))

    def _ids(self, bits: int) -> bytes:
        return tailcfg.encode(sorted(self.scene.state.ordinals.ids(bits)))

    def _own_profile(self, reader: Reader, node: Node) -> set[int]:
        """The id of the profile shown as the node's own owner, if the reader has not been told it so; notes it."""
        profile_id = self.scene.profile_id(node)
        profile = hash(tailcfg.encode(self.scene.profile(profile_id)))
        if profile == reader.own.profile:
            return set()
        reader.own.profile = profile
        return {profile_id}
