"""Nodes and changes of nodes as clients see them (protocol fact sheet, 5.5 and 6.1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hatsize.wire import keys
from hatsize.wire.tailcfg import hostinfo
from hatsize.wire.tailcfg.base import Addr, AddrPort, Int, Prefix, Wire, always
from hatsize.wire.tailcfg.dns import Resolver


class Node(Wire, frozen=True):
    """A node in a netmap, self or peer. A node sent again replaces the former one whole."""

    ID: Int = always(0)
    StableID: str = always("")
    Name: str = always("")
    """Fully qualified, with the trailing dot."""
    User: Int = always(0)
    Sharer: Int = 0
    Key: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    KeyExpiry: datetime | None = None
    KeySignature: bytes = b""
    Machine: keys.MachineKey = keys.MachineKey("")
    DiscoKey: keys.DiscoKey = keys.DiscoKey("")
    Addresses: Sequence[Prefix] = always(())
    AllowedIPs: Sequence[Prefix] | None = None
    """None says "the addresses" to clients from 112 on; an empty list says "nothing"."""
    Endpoints: Sequence[AddrPort] = ()
    DERP: str = ""
    """`127.3.3.40:<region>`, for clients below 111."""
    HomeDERP: Int = 0
    Hostinfo: hostinfo.Hostinfo = always(hostinfo.Hostinfo())
    """Never null: clients up to 1.100 crash without it."""
    Created: datetime | None = None
    Cap: Int = 0
    Tags: Sequence[str] = ()
    PrimaryRoutes: Sequence[Prefix] = ()
    LastSeen: datetime | None = None
    Online: bool | None = None
    MachineAuthorized: bool = False
    Capabilities: Sequence[str] = ()
    CapMap: Mapping[str, Sequence[Any] | None] = {}
    UnsignedPeerAPIOnly: bool = False
    DataPlaneAuditLogID: str = ""
    Expired: bool = False
    SelfNodeV4MasqAddrForThisPeer: Addr = ""
    SelfNodeV6MasqAddrForThisPeer: Addr = ""
    IsWireGuardOnly: bool = False
    IsJailed: bool = False
    ExitNodeDNSResolvers: Sequence[Resolver] = ()


class PeerChange(Wire, frozen=True):
    """What changed of one peer; what did not is left out."""

    NodeID: Int = always(0)
    DERPRegion: Int = 0
    Cap: Int = 0
    CapMap: Mapping[str, Sequence[Any] | None] | None = None
    Endpoints: Sequence[AddrPort] | None = None
    Key: keys.NodeKey | None = None
    KeySignature: bytes = b""
    DiscoKey: keys.DiscoKey | None = None
    Online: bool | None = None
    LastSeen: datetime | None = None
    KeyExpiry: datetime | None = None
