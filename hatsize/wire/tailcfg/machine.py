"""The parts of a client's description of its machine (protocol fact sheet, 6.2)."""

from collections.abc import Mapping

from hatsize.wire.tailcfg.base import Int, Wire, always


class Service(Wire, frozen=True):
    """A port a client serves; the `peerapi…` ones must reach its peers."""

    Proto: str = always("")
    Port: Int = always(0)
    Description: str = ""


class NetInfo(Wire, frozen=True):
    """What a client measured about its network. `DERPLatency` is in seconds, by `<region>-v4` or `-v6`."""

    MappingVariesByDestIP: bool | None = None
    WorkingIPv6: bool | None = None
    OSHasIPv6: bool | None = None
    WorkingUDP: bool | None = None
    WorkingICMPv4: bool | None = None
    HavePortMap: bool = False
    UPnP: bool | None = None
    PMP: bool | None = None
    PCP: bool | None = None
    PreferredDERP: Int = 0
    LinkType: str = ""
    DERPLatency: Mapping[str, float] = {}
    FirewallMode: str = ""


class Location(Wire, frozen=True):
    """Where a node is said to be."""

    Country: str = ""
    CountryCode: str = ""
    City: str = ""
    CityCode: str = ""
    Latitude: float = 0.0
    Longitude: float = 0.0
    Priority: Int = 0


class TPMInfo(Wire, frozen=True):
    """The machine's trusted platform module."""

    Manufacturer: str = ""
    Vendor: str = ""
    Model: str = ""
    FirmwareVersion: Int = 0
    SpecRevision: Int = 0
    FamilyIndicator: str = ""
