"""What a node is told of itself and of the tailnet: its own entry, filter, SSH rules, DNS and relays."""

from dataclasses import dataclass, field

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap import peers
from hatsize.netmap.scene import Scene
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg

_NO_LOGS = tailcfg.encode(tailcfg.Debug(DisableLogTail=True))


@dataclass(slots=True)
class OwnParts:
    """The own parts as a reader was last told them, to be compared with what they are now."""

    node: bytes = b""
    filters: dict[str, bytes] = field(default_factory=dict)
    ssh: bytes = b""
    dns: bytes = b""
    derp: bytes = b""
    profile: bytes = b""
    """The owner's."""


def own_parts(
    scene: Scene, policy: CompiledPolicy, node: Node, cap_version: int, told: OwnParts, *, first: bool
) -> list[tuple[str, bytes]]:
    """The members of a map response that a reader has not been told so, or all for the first message; notes them as
    told."""
    found: list[tuple[str, bytes]] = []
    own = peers.myself(scene, policy, node)
    essence = peers.told_of_itself(own)
    if essence != told.node:
        told.node = essence
        found.append(("Node", tailcfg.encode(own)))
    derp = tailcfg.encode(scene.derp_map(cap_version))
    if derp != told.derp:
        told.derp = derp
        found.append(("DERPMap", derp))
    dns = tailcfg.encode(scene.dns(node))
    if dns != told.dns:
        told.dns = dns
        found.append(("DNSConfig", dns))
    ssh = tailcfg.encode(policy.ssh_policy(node.id))
    if ssh != told.ssh:
        told.ssh = ssh
        found.append(("SSHPolicy", ssh))
    found += _filters(policy, node, told, first=first)
    if first:
        found += [
            ("Domain", tailcfg.encode(scene.domain)),
            ("CollectServices", b"true" if scene.collect_services else b"false"),
            ("Debug", _NO_LOGS),
            ("ControlTime", tailcfg.encode(scene.now())),
        ]
    return found


def _filters(policy: CompiledPolicy, node: Node, told: OwnParts, *, first: bool) -> list[tuple[str, bytes]]:
    """`PacketFilters` with the fragments that differ, null for those that are gone; all of them the first time."""
    now = {name: tailcfg.encode(rules) for name, rules in policy.filter_fragments(node.id).items()} or {"base": b"[]"}
    changed = {name: rules for name, rules in now.items() if told.filters.get(name) != rules}
    gone = [name for name in told.filters if name not in now]
    told.filters = now
    if not (changed or gone or first):
        return []
    entries = [b'"*":null'] if first else [tailcfg.encode(name) + b":null" for name in gone]
    entries += [tailcfg.encode(name) + b":" + rules for name, rules in changed.items()]
    return [("PacketFilters", b"{" + b",".join(entries) + b"}")]
