"""What API v2 tells of a device's network: where it can be reached, its relays, what its router can do."""

from collections.abc import Mapping

from msgspec import UNSET, UnsetType, field

from hatsize.api.schema import Answer
from hatsize.tailnet.model import Node
from hatsize.wire.tailcfg import NetInfo


class RelayJson(Answer, kw_only=True):
    """How a device reaches one of the relays."""

    preferred: bool | UnsetType = UNSET
    """True for the home relay, and absent otherwise."""
    latency_ms: float


class SupportsJson(Answer):
    """What the network can do; null for what the client has not said."""

    hair_pinning: bool | None = None
    """Clients do not find this out any more."""
    ipv6: bool | None = None
    pcp: bool | None = None
    pmp: bool | None = None
    udp: bool | None = None
    upnp: bool | None = None


class ConnectivityJson(Answer):
    endpoints: list[str]
    derp: str
    """The home relay, by its region's name; empty for none."""
    mapping_varies_by_dest_ip: bool = field(name="mappingVariesByDestIP")
    latency: dict[str, RelayJson]
    """By the region's name."""
    client_supports: SupportsJson


def connectivity_json(node: Node, regions: Mapping[int, str]) -> ConnectivityJson:
    """What a node has told of its network; `regions` are the relays' names by number."""
    net = node.hostinfo.NetInfo or NetInfo()
    return ConnectivityJson(
        endpoints=list(node.endpoints),
        derp=regions.get(net.PreferredDERP, ""),
        mapping_varies_by_dest_ip=bool(net.MappingVariesByDestIP),
        latency=_latency(net, regions),
        client_supports=SupportsJson(ipv6=net.OSHasIPv6, pcp=net.PCP, pmp=net.PMP, udp=net.WorkingUDP, upnp=net.UPnP),
    )


def _latency(net: NetInfo, regions: Mapping[int, str]) -> dict[str, RelayJson]:
    """Of a region's two families the quicker one; the client tells seconds, by `900-v4` and `900-v6`."""
    best: dict[int, float] = {}
    for key, seconds in net.DERPLatency.items():
        number = key.partition("-")[0]
        if number.isascii() and number.isdigit():
            best[int(number)] = min(seconds, best.get(int(number), seconds))
    return {
        name: RelayJson(latency_ms=best[number] * 1000, preferred=True if number == net.PreferredDERP else UNSET)
        for number, name in regions.items()
        if number in best
    }
