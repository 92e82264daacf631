"""What a node is told of itself and of the tailnet: its own entry, filter, SSH rules, DNS and relays."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap import peers
from hatsize.netmap.notices import NOTHING, Noticed, add_difference
from hatsize.netmap.pieces import Draft, Part
from hatsize.netmap.scene import Scene
from hatsize.netmap.shared import Shared
from hatsize.tailnet.messages import messages
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg

_DEBUG = {logtail: tailcfg.encode(tailcfg.Debug(DisableLogTail=not logtail)) for logtail in (True, False)}
_NOTHING_OPEN: Mapping[str, Hashable] = {"base": 0}
"""The marks of a filter that lets nobody in."""


@dataclass(slots=True)
class Told:
    """What a reader was last told of its own, as hashes and marks to be compared with what it is now."""

    node: int = 0
    addresses: tuple[str, ...] = ()
    filters: Mapping[str, Hashable] = field(default_factory=dict)
    """The policy's marks of the fragments; in general the policy's own mapping."""
    ssh: int = 0
    dns: int = 0
    derp: int = 0
    debug: bytes = b""
    auto_update: bytes = b""
    noticed: Noticed = NOTHING
    profile: int = 0
    """The owner's."""


class Own:
    """Adds to messages what has changed of a reader's own since it was told; what readers share is encoded once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._shared = Shared()

    def everything(
        self, draft: Draft, policy: CompiledPolicy, node: Node, cap_version: int, told: Told, *, first: bool
    ) -> None:
        """Whatever differs, or all for the first message."""
        scene = self._scene
        dns = scene.dns(node)
        own = peers.myself(scene, policy, node, certified=bool(dns.CertDomains))
        essence = hash(peers.told_of_itself(own))
        if essence != told.node:
            told.node = essence
            draft.add("Node", tailcfg.encode(own))
        derp = self._shared.json(scene.derp_map(cap_version))
        if hash(derp) != told.derp:
            told.derp = hash(derp)
            draft.add("DERPMap", derp)
        config = tailcfg.encode(dns)
        if hash(config) != told.dns:
            told.dns = hash(config)
            draft.add("DNSConfig", config)
        self._switches(draft, told)
        noticed = scene.notices.of(node, messages(scene.state))
        if noticed != told.noticed:
            add_difference(draft, noticed, told.noticed, cap_version)
            told.noticed = noticed
        self.rules(draft, policy, node, told, first=first)
        if first:
            draft.add("Domain", tailcfg.encode(scene.domain))
            draft.add("CollectServices", b"true" if scene.collect_services else b"false")
            draft.add("ControlTime", tailcfg.encode(scene.now()))

    def rules(self, draft: Draft, policy: CompiledPolicy, node: Node, told: Told, *, first: bool = False) -> None:
        """What differs of the policy's rules for the node."""
        ssh = self._shared.json(policy.ssh_policy(node.id))
        if hash(ssh) != told.ssh:
            told.ssh = hash(ssh)
            draft.add("SSHPolicy", ssh)
        former, same = told.filters, node.addresses == told.addresses
        now = policy.filter_marks(node.id) or _NOTHING_OPEN
        told.filters, told.addresses = now, node.addresses
        if first:
            draft.add("PacketFilters", *_object([(b'"*":null',), *self._fragments(policy, node, now)]))
        elif now is not former or not same:
            changed = [name for name, mark in now.items() if not same or former.get(name) != mark]
            gone = [(_key(name), b"null") for name in former if name not in now]
            if changed or gone:
                draft.add("PacketFilters", *_object([*gone, *self._fragments(policy, node, changed)]))

    def _switches(self, draft: Draft, told: Told) -> None:
        """Whether clients send logs, and update themselves; those before 1.90 are told of the latter here only."""
        debug, auto_update = _DEBUG[self._scene.logtail], b"true" if self._scene.auto_update else b"false"
        if debug != told.debug:
            told.debug = debug
            draft.add("Debug", debug)
        if auto_update != told.auto_update:
            told.auto_update = auto_update
            draft.add("DefaultAutoUpdate", auto_update)

    def _fragments(self, policy: CompiledPolicy, node: Node, names: Collection[str]) -> Iterator[Sequence[Part]]:
        """`"name":[rule,…]` for each of the filter's fragments with the names."""
        found = policy.filter_fragments(node.id, names)
        for name in names:
            parts: list[Part] = [_key(name), b"["]
            for number, rule in enumerate(found.get(name, ())):
                parts += (b"," if number else b"", *self._shared.rule(rule))
            yield [*parts, b"]"]


def _object(entries: Iterable[Sequence[Part]]) -> list[Part]:
    """A JSON object of entries."""
    parts: list[Part] = []
    for entry in entries:
        parts += (b"," if parts else b"{", *entry)
    return [*parts, b"}"]


def _key(name: str) -> bytes:
    return tailcfg.encode(name) + b":"
