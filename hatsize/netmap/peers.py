"""Nodes as their peers see them, and as they see themselves, encoded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from hatsize.hooks.policy import CompiledPolicy
from hatsize.netmap.journal import Aspect
from hatsize.netmap.scene import Scene
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg
from hatsize.wire.keys import DiscoKey
from hatsize.wire.tailcfg import Hostinfo

ANSWERS_AAAA = "magicdns-aaaa"
"""Without this a client answers no AAAA query for its peers."""
AUTO_UPDATE = "default-auto-update"
FILE_SHARING = "https://tailscale.com/cap/file-sharing"
HTTPS = "https"
NO_HTTPS = "https://tailscale.com/cap/warn-funnel-no-https"
PREFIX_LENGTH = {True: "/128", False: "/32"}


def own_prefixes(node: Node) -> list[str]:
    """The node's addresses as host prefixes."""
    return [address + PREFIX_LENGTH[":" in address] for address in node.addresses]


def peer_hostinfo(info: Hostinfo) -> Hostinfo:
    """What peers may know of a host: enough for Taildrop, exit-node DNS, SSH and the list in the apps."""
    return Hostinfo(
        OS=info.OS,
        Hostname=info.Hostname,
        Services=info.Services,
        ShareeNode=info.ShareeNode,
        SSHHostKeys=info.SSHHostKeys,
        Location=info.Location,
    )


def is_expired(node: Node, now: datetime) -> bool:
    return node.key_expiry is not None and node.key_expiry <= now


def peer(scene: Scene, policy: CompiledPolicy, viewer_id: int, node: Node) -> bytes:
    """A peer's whole entry, as the viewer's class is told it."""
    online = scene.is_online(node.id)
    region = node.home_derp
    return tailcfg.encode(
        tailcfg.Node(
            ID=node.id,
            StableID=node.stable_id,
            Name=scene.fqdn(node),
            User=scene.profile_id(node),
            Key=node.node_key,
            KeyExpiry=node.key_expiry,
            KeySignature=node.key_signature,
            DiscoKey=node.disco_key,
            Addresses=own_prefixes(node),
            AllowedIPs=policy.allowed_ips(viewer_id, node.id),
            Endpoints=node.endpoints,
            DERP=f"127.3.3.40:{region}" if region else "",
            HomeDERP=region,
            Hostinfo=peer_hostinfo(node.hostinfo),
            Created=node.created,
            Cap=node.cap_version,
            Tags=node.tags,
            PrimaryRoutes=policy.primary_routes(viewer_id, node.id),
            # Apple's 1.102 shows a peer without it as offline (control-plane fact sheet, F3)
            LastSeen=node.last_seen,
            Online=online,
            CapMap=_cap_map(policy.peer_cap_map(viewer_id, node.id)),
            Expired=is_expired(node, scene.now()),
        )
    )


def myself(scene: Scene, policy: CompiledPolicy, node: Node, *, certified: bool = False) -> tailcfg.Node:
    """The node's own entry; `certified` says that it may have certificates of its name."""
    region = node.home_derp
    return tailcfg.Node(
        ID=node.id,
        StableID=node.stable_id,
        Name=scene.fqdn(node),
        User=scene.profile_id(node),
        Key=node.node_key,
        KeyExpiry=node.key_expiry,
        KeySignature=node.key_signature,
        Machine=node.machine_key,
        DiscoKey=node.disco_key,
        Addresses=own_prefixes(node),
        AllowedIPs=policy.allowed_ips(node.id, node.id),
        PrimaryRoutes=policy.primary_routes(node.id, node.id),
        Endpoints=node.endpoints,
        DERP=f"127.3.3.40:{region}" if region else "",
        HomeDERP=region,
        Hostinfo=node.hostinfo,
        Created=node.created,
        Cap=node.cap_version,
        Tags=node.tags,
        MachineAuthorized=node.authorized,
        CapMap=_own_cap_map(scene, policy, node, certified),
        Expired=is_expired(node, scene.now()),
    )


def told_of_itself(own: tailcfg.Node) -> bytes:
    """The part of a node's own entry that it does not know better itself; told anew only when this changes."""
    return tailcfg.encode(
        msgspec.structs.replace(
            own, Hostinfo=Hostinfo(), Endpoints=(), DERP="", HomeDERP=0, DiscoKey=DiscoKey(""), Cap=0
        )
    )


def patch(scene: Scene, node: Node, aspects: Aspect) -> tailcfg.PeerChange:
    """What changed of a peer in these respects, with the values of now."""
    online = Aspect.ONLINE in aspects
    return tailcfg.PeerChange(
        NodeID=node.id,
        DERPRegion=node.home_derp if Aspect.HOME_DERP in aspects else 0,
        Cap=node.cap_version if Aspect.CAP_VERSION in aspects else 0,
        Endpoints=node.endpoints if Aspect.ENDPOINTS in aspects else None,
        DiscoKey=node.disco_key if Aspect.DISCO_KEY in aspects else None,
        Online=scene.is_online(node.id) if online else None,
        LastSeen=node.last_seen if online or Aspect.DISCO_KEY in aspects else None,
        KeyExpiry=node.key_expiry if Aspect.KEY_EXPIRY in aspects else None,
    )


def what_changed(old: Node | None, new: Node, now: datetime) -> Aspect:
    """In which respects peers see a difference between two states of a node. `Expired` cannot be patched."""
    if old is not None and (old.user_id, old.tags) != (new.user_id, new.tags):
        return Aspect.WHOLE | Aspect.OWNER
    if old is None or _whole_key(old) != _whole_key(new) or is_expired(old, now) != is_expired(new, now):
        return Aspect.WHOLE
    aspects = Aspect(0)
    if old.endpoints != new.endpoints:
        aspects |= Aspect.ENDPOINTS
    if old.home_derp != new.home_derp:
        aspects |= Aspect.HOME_DERP if new.home_derp else Aspect.WHOLE
    if old.disco_key != new.disco_key:
        aspects |= Aspect.DISCO_KEY
    if old.key_expiry != new.key_expiry:
        aspects |= Aspect.KEY_EXPIRY if new.key_expiry else Aspect.WHOLE
    if old.cap_version != new.cap_version:
        aspects |= Aspect.CAP_VERSION
    return aspects


def _whole_key(node: Node) -> tuple[object, ...]:
    info = node.hostinfo
    return (
        node.node_key, node.given_name, node.ipv4, node.ipv6, node.authorized, node.approved_routes,
        node.key_signature, info.OS, info.Hostname, info.Services, info.ShareeNode, info.SSHHostKeys, info.Location,
        info.RoutableIPs,
    )  # fmt: skip


def _own_cap_map(scene: Scene, policy: CompiledPolicy, node: Node, certified: bool) -> dict[str, Sequence[Any] | None]:
    """The policy's capabilities of the node, with what the settings say about all nodes."""
    found = _cap_map(policy.self_cap_map(node.id)) | {AUTO_UPDATE: [scene.auto_update]}
    if node.ipv6:
        found[ANSWERS_AAAA] = None
    if certified:
        found[HTTPS] = None
        found.pop(NO_HTTPS, None)
    if not scene.taildrop:
        found.pop(FILE_SHARING, None)
    return found


def _cap_map(capabilities: Mapping[str, Sequence[Any] | None]) -> dict[str, Sequence[Any] | None]:
    """Capabilities as the wire has them: null for those without arguments."""
    return {name: values or None for name, values in capabilities.items()}
