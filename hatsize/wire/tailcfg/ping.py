"""Requests from the server to a client, and its answers (protocol fact sheet, 3.1)."""

from hatsize.wire.tailcfg.base import Addr, Int, Wire, always


class PingRequest(Wire, frozen=True):
    """Asks a client to answer at `URL`; with `Types` `c2n`, `Payload` is a raw HTTP request for the client itself."""

    URL: str = always("")
    URLIsNoise: bool = False
    Log: bool = False
    Types: str = ""
    IP: Addr = ""
    Payload: bytes = b""


class PingResponse(Wire, frozen=True):
    """How one ping from a client to a tailnet address went."""

    Type: str = always("")
    IP: str = ""
    NodeIP: str = ""
    NodeName: str = ""
    Err: str = ""
    LatencySeconds: float = 0.0
    Endpoint: str = ""
    PeerRelay: str = ""
    DERPRegionID: Int = 0
    DERPRegionCode: str = ""
    PeerAPIPort: Int = 0
    IsLocalIP: bool = False
