"""Where the relays are (protocol fact sheet, 6.4)."""

from collections.abc import Mapping, Sequence

from hatsize.wire.tailcfg.base import Int, Wire, always, named


class DERPNode(Wire, frozen=True):
    """One relay host. `STUNPort` 0 means 3478 and -1 none; `DERPPort` 0 means 443."""

    Name: str = always("")
    RegionID: Int = always(0)
    HostName: str = always("")
    CertName: str = ""
    IPv4: str = ""
    IPv6: str = ""
    STUNPort: Int = 0
    STUNOnly: bool = False
    DERPPort: Int = 0
    InsecureForTests: bool = False
    STUNTestIP: str = ""
    CanPort80: bool = False


class DERPRegion(Wire, frozen=True):
    """A group of relays that stand in for one another."""

    RegionID: Int = always(0)
    RegionCode: str = always("")
    RegionName: str = always("")
    Latitude: float = 0.0
    Longitude: float = 0.0
    Avoid: bool = False
    NoMeasureNoHome: bool = False
    Nodes: Sequence[DERPNode] = always(())


class DERPHomeParams(Wire, frozen=True):
    """Factors on measured latencies, by region: below 1 is preferred."""

    RegionScore: Mapping[int, float] = {}


class DERPMap(Wire, frozen=True):
    """All regions by their number; a null region deletes it at the client, null `Regions` leaves them."""

    HomeParams: DERPHomeParams | None = None
    Regions: Mapping[int, DERPRegion | None] | None = always(None)
    OmitDefaultRegions: bool = named("omitDefaultRegions", False)
