"""`acls` and `grants`, read into one kind of rule."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hatsize.policy.document import Flow, Rule
from hatsize.policy.names import Names
from hatsize.policy.ports import Ports, Service, check_ports, read_ports, read_protocol, read_service
from hatsize.policy.reader import Fields, Text
from hatsize.policy.selectors import EVERYTHING, SELF, SELF_SOURCES, THE_INTERNET, Place, Selector
from hatsize.wire.hujson_tree import Array, Object, Value, plain

_ACL_FIELDS = ("action", "src", "dst", "users", "ports", "proto", "srcPosture")
_GRANT_FIELDS = ("src", "dst", "ip", "app", "via", "srcPosture")
_CAPABILITY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+/\S+")
KNOWN_CAPABILITIES = frozenset(
    f"tailscale.com/cap/{name}" for name in ("drive", "relay", "webui", "kubernetes", "tsidp", "secrets", "golink")
)
_SELF_FAULT = "autogroup:self can only be used with users, groups, or supported autogroups"


def read_acls(names: Names, value: Value | None, default_postures: tuple[str, ...]) -> list[Rule]:
    """Each acl as the rule that grants it."""
    return [
        _acl(names, item, f"acls[{number}]", default_postures)
        for number, item in enumerate(names.reader.items(value, "acls"))
    ]


def _acl(names: Names, item: Value, path: str, default_postures: tuple[str, ...]) -> Rule:
    reader = names.reader
    fields = reader.fields(item, path, _ACL_FIELDS)
    action = (fields.text("action") or "").strip()
    if action != "accept":
        reader.refuse(fields.at, f'action="{action}" is not supported', 'only "accept" is')
    proto = fields.text("proto")
    protocol = reader.attempt(proto.at, read_protocol, proto) if proto else None
    src = names.selectors(fields.texts("src", "users"), Place.SRC)
    flows = []
    for text in fields.texts("dst", "ports"):
        flow = _acl_flow(names, text, protocol, proto or "")
        flows += [flow] if flow else []
    dst = tuple(flow.dst for flow in flows)
    _check_self(names, fields, src, dst, allow_all=True)
    names.warn_if_idle(fields, src=src, dst=dst)
    return Rule(
        path, reader.line(item.start), src, dst, tuple(flows), postures=_postures(names, fields, default_postures)
    )


def split_target(text: str) -> tuple[str, str]:
    """`target:ports` at its last colon; a bracketed IPv6 address keeps its own colons. Raises ValueError."""
    target, colon, ports = text.strip().rpartition(":")
    if not colon:
        raise ValueError("ports are missing")
    return target, ports


def _acl_flow(names: Names, text: Text, protocol: int | None, proto: str) -> Flow | None:
    prefix = f'dst="{text.strip()}": '
    parts = names.reader.attempt(text.at, split_target, text, prefix)
    if parts is None:
        return None
    target, ports_text = parts
    ports = names.reader.attempt(text.at, read_ports, ports_text, prefix)
    dst = names.check(text.at, target, Place.DST) if ports is not None else None
    if ports is None or dst is None:
        return None
    if protocol is not None:
        names.reader.attempt(text.at, lambda _: check_ports(protocol, ports, proto), "", prefix)
    return Flow(dst, ports, () if protocol is None else (protocol,))


def read_grants(names: Names, value: Value | None, default_postures: tuple[str, ...]) -> list[Rule]:
    return [
        _grant(names, item, f"grants[{number}]", default_postures)
        for number, item in enumerate(names.reader.items(value, "grants"))
    ]


def _grant(names: Names, item: Value, path: str, default_postures: tuple[str, ...]) -> Rule:
    reader = names.reader
    fields = reader.fields(item, path, _GRANT_FIELDS)
    src = names.selectors(fields.texts("src"), Place.SRC)
    dst = names.selectors(fields.texts("dst"), Place.DST)
    services = [service for text in fields.texts("ip") for service in reader.attempt(text.at, read_service, text) or ()]
    app = _app(names, fields.get("app"))
    if not (reader.items(fields.get("ip"), "ip") or app):
        reader.refuse(fields.at, "ip and app can not both be empty")
    if app and THE_INTERNET in dst:
        reader.refuse(fields.at, "cannot use app grants with autogroup:internet")
    _check_self(names, fields, src, dst, allow_all=False)
    names.warn_if_idle(fields, src=src, dst=dst)
    return Rule(
        path, reader.line(item.start), src, dst, _grant_flows(dst, services), app, _via(names, fields),
        _postures(names, fields, default_postures),
    )  # fmt: skip


def _grant_flows(dst: Sequence[Selector], services: Sequence[Service]) -> tuple[Flow, ...]:
    """The flows, those of equal protocols together, in the order in which the protocols come up."""
    by_protocol: dict[tuple[int, ...], list[Ports]] = {}
    for service in services:
        by_protocol.setdefault(service.protocols, []).append(service.ports)
    return tuple(Flow(one, tuple(ports), protocols) for protocols, ports in by_protocol.items() for one in dst)


def _app(names: Names, value: Value | None) -> Mapping[str, Sequence[Any]]:
    found = {}
    for name, item in names.reader.mapping(value, "app"):
        if not _CAPABILITY.fullmatch(name):
            names.reader.refuse(name.at, "capability name must have the form {domain}/{path}", f'not "{name}"')
        elif _is_reserved(name):
            names.reader.refuse(name.at, "capability name must not be in the tailscale.com domain", f'"{name}"')
        for value_of in names.reader.items(item, f'app["{name}"]'):
            if isinstance(value_of, Array) or not isinstance(value_of, Object):
                names.reader.refuse(value_of.start, f'app["{name}"]: capability values must be objects')
        found[str(name)] = tuple(plain(item)) if isinstance(item, Array) else ()
    return found


def _is_reserved(capability: str) -> bool:
    domain = capability.partition("/")[0].lower()
    return (domain == "tailscale.com" or domain.endswith(".tailscale.com")) and capability not in KNOWN_CAPABILITIES


def _via(names: Names, fields: Fields) -> tuple[str, ...]:
    found = []
    for text in fields.texts("via"):
        name = text.strip()
        if not name.startswith("tag:"):
            names.reader.refuse(text.at, "via can only be a tag", f'not "{name}"')
        elif name not in names.tags:
            names.reader.refuse(text.at, f'tag "{name}" not found')
        else:
            found.append(name)
    return tuple(found)


def _check_self(
    names: Names, fields: Fields, src: Sequence[Selector], dst: Sequence[Selector], *, allow_all: bool
) -> None:
    if SELF not in dst:
        return
    kinds, autogroups = SELF_SOURCES
    for one in src:
        if one.kind in kinds or one.name in autogroups or (allow_all and one == EVERYTHING):
            continue
        names.reader.refuse(fields.at, _SELF_FAULT, f'not with "{one}"')


def _postures(names: Names, fields: Fields, default: tuple[str, ...]) -> tuple[str, ...]:
    return names.posture_names(fields.texts("srcPosture")) if "srcPosture" in fields else default
