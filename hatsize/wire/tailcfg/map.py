"""The netmap's request and answer: `POST /machine/map` (protocol fact sheet, section 5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hatsize.wire import keys
from hatsize.wire.tailcfg import derpmap, dns, hostinfo, node, notices, packetfilter, ping, ssh, users
from hatsize.wire.tailcfg.base import AddrPort, Int, Wire, always


class MapRequest(Wire, frozen=True):
    """With `Stream` a session; without, and with `OmitPeers`, news of the client itself."""

    Version: Int = always(0)
    Compress: str = ""
    KeepAlive: bool = False
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    DiscoKey: keys.DiscoKey = always(keys.ZERO_DISCO_KEY)
    HardwareAttestationKey: str = ""
    HardwareAttestationKeySignature: bytes = b""
    HardwareAttestationKeySignatureTimestamp: datetime | None = None
    Stream: bool = False
    Hostinfo: hostinfo.Hostinfo | None = None
    MapSessionHandle: str = ""
    MapSessionSeq: Int = 0
    Endpoints: tuple[AddrPort, ...] = ()
    EndpointTypes: tuple[Int, ...] = ()
    TKAHead: str = ""
    ReadOnly: bool = False
    OmitPeers: bool = False
    DebugFlags: tuple[str, ...] = ()
    ConnectionHandleForTest: str = ""


class MapResponse(Wire, frozen=True):
    """A netmap, or what changed of it: a field left out is unchanged. The first of a session must hold `Node`."""

    MapSessionHandle: str = ""
    Seq: Int = 0
    KeepAlive: bool = False
    PingRequest: ping.PingRequest | None = None
    PopBrowserURL: str = ""
    Node: node.Node | None = None
    DERPMap: derpmap.DERPMap | None = None
    Peers: Sequence[node.Node] = ()
    """Not empty: all peers, and every other peer field of the message is ignored. Sorted by ID, as the next."""
    PeersChanged: Sequence[node.Node] = ()
    PeersRemoved: Sequence[Int] = ()
    PeersChangedPatch: Sequence[node.PeerChange] = ()
    PeerSeenChange: Mapping[int, bool] = {}
    OnlineChange: Mapping[int, bool] = {}
    DNSConfig: dns.DNSConfig | None = None
    Domain: str = ""
    CollectServices: bool | None = None
    PacketFilter: Sequence[packetfilter.FilterRule] | None = None
    PacketFilters: Mapping[str, Sequence[packetfilter.FilterRule] | None] | None = None
    UserProfiles: Sequence[users.UserProfile] = ()
    Health: Sequence[str] | None = None
    DisplayMessages: Mapping[str, notices.DisplayMessage | None] | None = None
    SSHPolicy: ssh.SSHPolicy | None = None
    ControlTime: datetime | None = None
    TKAInfo: notices.TKAInfo | None = None
    DomainDataPlaneAuditLogID: str = ""
    Debug: notices.Debug | None = None
    ControlDialPlan: notices.ControlDialPlan | None = None
    ClientVersion: notices.ClientVersion | None = None
    DefaultAutoUpdate: bool | None = None
    MaxKeyDuration: Int = 0
    """Nanoseconds."""
