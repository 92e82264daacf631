"""The sections that say things about nodes rather than traffic: `nodeAttrs`, `autoApprovers`, `derpMap`."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hatsize.policy.document import AutoApprovers, NodeAttr
from hatsize.policy.names import Names
from hatsize.policy.reader import Reader, Text
from hatsize.policy.selectors import SERVICE_NAME, Place, Selector
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.node_dns import check_attribute
from hatsize.wire.hujson_tree import Array, Object, Value, plain, string
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion

_POOL = ipaddress.IPv4Network("100.64.0.0/10")
_RESERVED = tuple(map(ipaddress.IPv4Network, ("100.100.0.0/24", "100.100.100.0/24", "100.115.92.0/23")))


def read_node_attrs(names: Names, value: Value | None) -> tuple[NodeAttr, ...]:
    reader, found = names.reader, []
    for number, item in enumerate(reader.items(value, "nodeAttrs")):
        fields = reader.fields(item, f"nodeAttrs[{number}]", ("target", "attr", "app", "ipPool"))
        target = names.selectors(fields.texts("target"), Place.TARGET)
        attrs = tuple(_attr(reader, text) for text in fields.texts("attr"))
        found.append(
            NodeAttr(
                reader.line(item.start),
                target,
                attrs,
                _app(reader, fields.get("app")),
                _pools(reader, fields.get("ipPool")),
            )
        )
    return tuple(found)


def _attr(reader: Reader, text: Text) -> str:
    attr = text.strip()
    try:
        check_attribute(attr)
    except InvalidError as error:
        reader.refuse(text.at, f"nodeAttrs: {error}")
    return attr


def _app(reader: Reader, value: Value | None) -> Mapping[str, Sequence[Any]]:
    return {
        str(name): tuple(map(plain, reader.items(item, f'app["{name}"]')))
        for name, item in reader.mapping(value, "app")
    }


def _pools(reader: Reader, value: Value | None) -> tuple[str, ...]:
    found = []
    for text in reader.texts(value, "ipPool"):
        try:
            pool = ipaddress.IPv4Network(text.strip())
        except ValueError:
            reader.refuse(text.at, f'IPPool("{text}"): invalid network')
            continue
        if not pool.subnet_of(_POOL):
            reader.refuse(text.at, f"IPPool({pool}): network must be within {_POOL}")
        elif any(pool.subnet_of(reserved) for reserved in _RESERVED):
            reader.refuse(text.at, f"IPPool({pool}): network within reserved range")
        found.append(str(pool))
    return tuple(found)


def read_auto_approvers(names: Names, value: Value | None) -> AutoApprovers:
    reader = names.reader
    fields = reader.fields(value, "autoApprovers", ("routes", "exitNode", "services"))
    return AutoApprovers(
        routes=_approvers(names, fields.get("routes"), "routes"),
        exit_node=names.selectors(fields.texts("exitNode"), Place.APPROVER),
        services=_approvers(names, fields.get("services"), "services"),
    )


def _approvers(names: Names, value: Value | None, section: str) -> dict[str, tuple[Selector, ...]]:
    reader, found = names.reader, {}
    for name, item in reader.mapping(value, section):
        key = str(name).strip()
        if section == "services":
            if not SERVICE_NAME.fullmatch(key) and key not in names.tags:
                reader.refuse(name.at, f'autoApprovers.services["{name}"]: not a service and not a known tag')
        else:
            key = reader.attempt(name.at, _prefix, key, f'autoApprovers.routes["{name}"]: ') or key
        found[key] = names.selectors(reader.texts(item, f'{section}["{name}"]'), Place.APPROVER)
    return found


def _prefix(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f'"{text}": invalid prefix') from None


_REGION = ("RegionID", "RegionCode", "RegionName", "Latitude", "Longitude", "Avoid", "NoMeasureNoHome", "Nodes")
_NODE = (
    "Name", "RegionID", "HostName", "CertName", "IPv4", "IPv6", "STUNPort", "STUNOnly", "DERPPort", "CanPort80",
    "InsecureForTests", "STUNTestIP",
)  # fmt: skip


def read_derp_map(reader: Reader, value: Value | None) -> DERPMap | None:
    """The policy's DERP map; a region that is null takes a default one away."""
    if value is None:
        return None
    fields = reader.fields(value, "derpMap", ("omitDefaultRegions", "regions", "homeParams"))
    regions: dict[int, DERPRegion | None] = {}
    for name, item in reader.mapping(fields.get("regions"), "regions"):
        if not (name.isascii() and name.isdigit() and len(name) <= 9):
            reader.refuse(name.at, f'derpMap region "{name}": the number of a region is expected')
            continue
        regions[int(name)] = _region(reader, int(name), item)
    return DERPMap(Regions=regions, OmitDefaultRegions=fields.flag("omitDefaultRegions"))


def _region(reader: Reader, number: int, value: Value) -> DERPRegion | None:
    if not isinstance(value, Object):
        reader.fields(value, f"derpMap region {number}", ())
        return None
    raw = _canonical(reader, value, f"derpMap region {number}", _REGION)
    nodes = next((member for name, member in value.members if string(name).lower() == "nodes"), None)
    raw["Nodes"] = [
        {"RegionID": number, **_canonical(reader, item, f"derpMap region {number} node", _NODE)}
        for item in (nodes.items if isinstance(nodes, Array) else [])
    ]
    raw.setdefault("RegionID", number)
    if raw["RegionID"] != number or any(node["RegionID"] != number for node in raw["Nodes"]):
        reader.refuse(value.start, f"derpMap region {number}: regionID must be {number} there and in its nodes")
    try:
        nodes_built = tuple(msgspec.convert(node, DERPNode) for node in raw.pop("Nodes"))
        return msgspec.structs.replace(msgspec.convert(raw, DERPRegion), Nodes=nodes_built)
    except msgspec.ValidationError as error:
        reader.refuse(value.start, f"derpMap region {number}: {error}")
        return None


def _canonical(reader: Reader, value: Value, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The members under their exact names."""
    fields = reader.fields(value, what, known)
    return {name: plain(member) for name, member in fields.found.items()}
