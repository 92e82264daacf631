"""The last message for a node that is no more: its key has expired, so its client asks for a new login."""

from datetime import datetime, timedelta

from hatsize.netmap.peers import own_prefixes
from hatsize.netmap.pieces import frame
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg
from hatsize.wire.keys import MachineKey, NodeKey

NOBODY = 2**53 - 1
"""A node id that no node has."""


def removed(node: Node, fqdn: str, profile: tailcfg.UserProfile, *, zstd: bool) -> bytes:
    """The frame for a node that was removed while its stream was open."""
    own = tailcfg.Node(
        ID=node.id,
        StableID=node.stable_id,
        Name=fqdn,
        User=profile.ID,
        Key=node.node_key,
        Machine=node.machine_key,
        KeyExpiry=node.created,
        Addresses=own_prefixes(node),
        AllowedIPs=own_prefixes(node),
        MachineAuthorized=True,
        Expired=True,
    )
    return _frame(own, profile, zstd=zstd)


def stranger(node_key: NodeKey, machine_key: MachineKey, base_domain: str, now: datetime, *, zstd: bool) -> bytes:
    """The frame for a client that thinks it is a node, and is not: it was removed while it was away."""
    profile = tailcfg.UserProfile(ID=NOBODY, LoginName="removed@", DisplayName="Removed")
    own = tailcfg.Node(
        ID=NOBODY,
        StableID="nRemovedCNTRL",
        Name=f"removed.{base_domain}.",
        User=NOBODY,
        Key=node_key,
        Machine=machine_key,
        KeyExpiry=now - timedelta(hours=1),
        MachineAuthorized=True,
        Expired=True,
    )
    return _frame(own, profile, zstd=zstd)


def _frame(own: tailcfg.Node, profile: tailcfg.UserProfile, *, zstd: bool) -> bytes:
    message = tailcfg.MapResponse(Node=own, UserProfiles=[profile])
    return frame([tailcfg.encode(message)], zstd=zstd)
