"""The DERP map: checked, merged from several, and fitted to what a client's version understands. Pure."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

import msgspec

from hatsize.derp.hosts import is_host
from hatsize.wire.tailcfg import DERPHomeParams, DERPMap, DERPNode, DERPRegion

EMBEDDED_REGION = 999
PIN_PREFIX = "sha256-raw:"
_PINS_FROM = 115
"""The first capability version that verifies a pinned certificate."""


class DERPMapError(ValueError):
    """A DERP map that clients could not use; the message names the region or node and the mend."""


def embedded_region(
    host: str,
    *,
    derp_port: int,
    stun_port: int,
    pin: str = "",
    region_id: int = EMBEDDED_REGION,
    code: str = "hatsize",
    name: str = "Hatsize",
    ipv4: str = "",
    ipv6: str = "",
    can_port_80: bool = False,
) -> DERPRegion:
    """The region of the relay inside this server. `pin` is `sha256-raw:…` where no authority vouches for it."""
    node = DERPNode(
        Name=f"{region_id}a",
        RegionID=region_id,
        HostName=host,
        CertName=pin,
        IPv4=ipv4,
        IPv6=ipv6,
        DERPPort=0 if derp_port == 443 else derp_port,
        STUNPort=0 if stun_port == 3478 else stun_port,
        CanPort80=can_port_80,
    )
    return DERPRegion(RegionID=region_id, RegionCode=code, RegionName=name, Nodes=[node])


def merge(maps: Iterable[DERPMap]) -> DERPMap:
    """One map of several: a later one's region replaces or, if null, removes an earlier one's.

    A map that says `omitDefaultRegions` begins anew.
    """
    regions: dict[int, DERPRegion] = {}
    scores: dict[int, float] = {}
    for each in maps:
        if each.OmitDefaultRegions:
            regions.clear()
        for region_id, region in (each.Regions or {}).items():
            if region is None:
                regions.pop(region_id, None)
            else:
                regions[region_id] = region
        scores |= each.HomeParams.RegionScore if each.HomeParams else {}
    return DERPMap(Regions=regions, HomeParams=DERPHomeParams(RegionScore=scores) if scores else None)


def for_version(derp_map: DERPMap, cap_version: int) -> DERPMap:
    """The map for a client of a capability version.

    Clients before 115 cannot verify a pinned certificate, and take the node without verification: what passes through
    a relay is encrypted end to end, and a false relay could at most refuse to pass it on.
    """
    if cap_version >= _PINS_FROM:
        return derp_map
    regions = {number: region and _unpinned(region) for number, region in (derp_map.Regions or {}).items()}
    return msgspec.structs.replace(derp_map, Regions=regions)


def check(derp_map: DERPMap) -> DERPMap:
    """The map itself if clients can use it; raises DERPMapError."""
    names: dict[str, int] = {}
    for number, region in (derp_map.Regions or {}).items():
        if region is not None:
            _check_region(number, region, names)
    _check_scores(derp_map.HomeParams.RegionScore if derp_map.HomeParams else {})
    return derp_map


def _unpinned(region: DERPRegion) -> DERPRegion:
    nodes = [
        msgspec.structs.replace(node, CertName="", InsecureForTests=True)
        if node.CertName.startswith(PIN_PREFIX)
        else node
        for node in region.Nodes
    ]
    return msgspec.structs.replace(region, Nodes=nodes)


def _check_region(number: int, region: DERPRegion, names: dict[str, int]) -> None:
    where = f"DERP region {number}"
    if region.RegionID != number:
        raise DERPMapError(f"{where} says RegionID {region.RegionID}: write the same number in both places")
    if not 1 <= number <= 65535:
        raise DERPMapError(f"{where}: a region's number is between 1 and 65535")
    if not region.RegionCode:
        raise DERPMapError(f"{where} has no RegionCode: give it a short one, such as its city's airport code")
    if not region.Nodes:
        raise DERPMapError(f"{where} has no nodes: give it one, or remove it with null")
    for node in region.Nodes:
        if node.Name in names:
            raise DERPMapError(f"{where}: region {names[node.Name]} has a node named {node.Name!r} too; rename one")
        names[node.Name] = number
        _check_node(f"{where}, node {node.Name!r}", number, node)


def _check_node(where: str, number: int, node: DERPNode) -> None:
    if not node.Name:
        raise DERPMapError(f"{where} has no Name: number it, such as {number}a")
    if node.RegionID != number:
        raise DERPMapError(f"{where} says RegionID {node.RegionID}: write {number}")
    if not node.HostName:
        raise DERPMapError(f"{where} has no HostName")
    if not is_host(node.HostName):
        raise DERPMapError(f"{where}: HostName {node.HostName!r} is no name that DNS could have, and no address")
    for field, address, version in (("IPv4", node.IPv4, 4), ("IPv6", node.IPv6, 6)):
        if address not in {"", "none"} and not _is_address(address, version):
            raise DERPMapError(f"{where}: {field} {address!r} is neither an {field} address nor none")
    if not 0 <= node.DERPPort <= 65535:
        raise DERPMapError(f"{where}: DERPPort {node.DERPPort} is no port; 0 means 443")
    if not -1 <= node.STUNPort <= 65535:
        raise DERPMapError(f"{where}: STUNPort {node.STUNPort} is no port; 0 means 3478 and -1 none")
    if node.CertName.startswith(PIN_PREFIX) and not _is_sha256(node.CertName.removeprefix(PIN_PREFIX)):
        raise DERPMapError(f"{where}: CertName pins by 64 hexadecimal digits behind {PIN_PREFIX!r}")


def _check_scores(scores: Mapping[int, float]) -> None:
    for number, score in scores.items():
        if score <= 0:
            raise DERPMapError(
                f"the home score of DERP region {number} is {score}: clients ignore all but positive ones"
            )


def _is_address(text: str, version: int) -> bool:
    try:
        return ip_address(text).version == version
    except ValueError:
        return False


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
