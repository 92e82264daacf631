"""Nodes: machines in the releases before 0.23, with bare keys and addresses in one column."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from msgspec.structs import replace

from hatsize.importing.database import NODES
from hatsize.importing.findings import Findings
from hatsize.importing.keys import TAG
from hatsize.importing.routes import Routes
from hatsize.importing.rows import Cells, Row, Tables, rows
from hatsize.importing.terms import Terms
from hatsize.tailnet.model import Credential, Node, User
from hatsize.tailnet.names import sanitised
from hatsize.wire.keys import (
    ZERO_DISCO_KEY,
    DiscoKey,
    KeyFormatError,
    is_zero,
    parse_disco_key,
    parse_machine_key,
    parse_node_key,
)
from hatsize.wire.tailcfg import Hostinfo, WireError, decode

NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
"""Names that Headscale gave and resolvers take, underscores and all."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whom a node may belong to, and the key it may have come by."""

    users: Mapping[int, User]
    keys: Mapping[int, Credential]


def nodes_of(tables: Tables, owners: Owners, terms: Terms, findings: Findings) -> list[Node]:
    """The nodes, with their ids, which are what clients know them by too."""
    found, routes = rows(tables, NODES, _label, findings), Routes(tables)
    nodes = [node for row in found if (node := _node(row, owners, routes, terms))]
    findings.count("nodes", len(found), len(nodes))
    return nodes


def _node(row: Row, owners: Owners, routes: Routes, terms: Terms) -> Node | None:
    """A node, or None, and told why, where it cannot be one."""
    if row.cells.get("registered") in (0, False):
        row.findings.left_out(row.name, "it never completed its registration")
        return None
    try:
        machine_key = parse_machine_key(_prefixed(row, "machine_key", "mkey:"))
        node_key = parse_node_key(_prefixed(row, "node_key", "nodekey:"))
    except KeyFormatError as error:
        row.findings.left_out(row.name, f"its keys cannot be read ({error}): let it join again")
        return None
    tags, key = _tags(row), _key(row, owners)
    user_id = _owner(row, owners, key, tagged=bool(tags))
    if user_id is None and not tags:
        row.findings.left_out(row.name, "it has neither a user that is there nor tags: let it join again")
        return None
    hostinfo = _hostinfo(row)
    ipv4, ipv6 = _addresses(row)
    return Node(
        id=row.id,
        stable_id=str(row.id),
        machine_key=machine_key,
        node_key=node_key,
        disco_key=_disco_key(row),
        given_name=_name(row, hostinfo),
        user_id=user_id,
        tags=tags,
        ipv4=ipv4,
        ipv6=ipv6,
        key_expiry=None if tags else row.time("expiry"),
        ephemeral=key is not None and key.ephemeral,
        hostinfo=hostinfo,
        endpoints=row.texts("endpoints"),
        approved_routes=routes.of(row),
        created=row.time("created_at") or terms.unknown,
        last_seen=row.time("last_seen"),
        register_method=row.text("register_method") or "cli",
        auth_key_id=key.id if key else None,
    )


def _prefixed(row: Row, column: str, prefix: str) -> str:
    """A key's text; releases before 0.23 kept the digits alone."""
    text = row.text(column)
    return text if ":" in text else prefix + text


def _disco_key(row: Row) -> DiscoKey:
    try:
        return parse_disco_key(_prefixed(row, "disco_key", "discokey:"))
    except KeyFormatError:
        if not is_zero(row.text("disco_key")):
            row.findings.changed(row.name, "its disco key cannot be read: comes over without, it will tell it again")
        return ZERO_DISCO_KEY


def _tags(row: Row) -> tuple[str, ...]:
    """The tags, in the column's present and former name."""
    tags = row.texts("tags") if "tags" in row.cells else row.texts("forced_tags")
    for wrong in (tag for tag in tags if not TAG.fullmatch(tag)):
        row.findings.changed(row.name, f"{wrong!r} is not a tag: comes over without")
    return tuple(dict.fromkeys(tag for tag in tags if TAG.fullmatch(tag)))


def _key(row: Row, owners: Owners) -> Credential | None:
    """The auth key it came by, if that is still there."""
    key_id = row.number("auth_key_id")
    if key_id is None:
        return None
    key = owners.keys.get(key_id)
    if key is None:
        row.findings.changed(row.name, f"the auth key {key_id} it came by is not there: comes over without")
    return key


def _owner(row: Row, owners: Owners, key: Credential | None, *, tagged: bool) -> int | None:
    user_id = row.number("user_id") or row.number("namespace_id")
    if user_id in owners.users:
        return user_id
    if not tagged and key is not None and key.user_id is not None:
        row.findings.changed(row.name, f"it has lost its user: belongs to user {key.user_id}, as its auth key does")
        return key.user_id
    return None


def _hostinfo(row: Row) -> Hostinfo:
    hostname = row.text("hostname") or row.text("name")
    try:
        info = decode(Hostinfo, row.text("host_info").encode() or b"null")
    except WireError:
        row.findings.changed(row.name, "host_info cannot be read: comes over without, the node will tell it again")
        info = Hostinfo()
    return info if info.Hostname else replace(info, Hostname=hostname)


def _name(row: Row, hostinfo: Hostinfo) -> str:
    given = row.text("given_name")
    name = given if NAME.fullmatch(given) else sanitised(given or hostinfo.Hostname)
    if given and name != given:
        row.findings.changed(row.name, f"its name {given!r} is no DNS label: is {name} now")
    return name


def _addresses(row: Row) -> tuple[str | None, str | None]:
    """IPv4 and IPv6, from a column each, or from the former column for both."""
    both = row.text("ip_addresses") or row.text("ip_address")
    given = [row.text("ipv4"), row.text("ipv6"), *both.split(",")]
    found: dict[int, str] = {}
    for text in filter(None, map(str.strip, given)):
        try:
            address = ip_address(text)
        except ValueError:
            row.findings.changed(row.name, f"its address {text!r} cannot be read: comes over without")
        else:
            found.setdefault(address.version, str(address))
    return found.get(4), found.get(6)


def _label(cells: Cells) -> str:
    return f"node {cells.get('id')} ({cells.get('given_name') or cells.get('hostname') or cells.get('name')})"


def without_doubles(nodes: Sequence[Node], held: Iterable[str], findings: Findings) -> list[Node]:
    """The nodes with no key, name or address twice: whoever was seen last keeps it.

    `held` are the keys, names and addresses that are not to be had at all.
    """
    taken = set(held)
    settled = []
    for node in sorted(nodes, key=lambda node: (node.last_seen or node.created, node.id), reverse=True):
        what = f"node {node.id} ({node.given_name})"
        if node.node_key in taken:
            findings.left_out(what, "another node has its node key and was seen later")
            findings.counts["nodes"].imported -= 1
            continue
        single = _single(node, what, taken.__contains__, findings)
        settled.append(single)
        taken |= holdings(single)
    return settled


def holdings(node: Node) -> set[str]:
    """What no other node may have."""
    return {node.node_key, node.given_name, *node.addresses}


def _single(node: Node, what: str, taken: Callable[[str], bool], findings: Findings) -> Node:
    for address in filter(taken, node.addresses):
        findings.changed(what, f"another node has its address {address}: comes over without it")
    named = replace(
        node,
        ipv4=None if node.ipv4 and taken(node.ipv4) else node.ipv4,
        ipv6=None if node.ipv6 and taken(node.ipv6) else node.ipv6,
    )
    if not taken(node.given_name):
        return named
    name = f"{node.given_name[:50].rstrip('-')}-{node.id}"
    findings.changed(what, f"another node has this name: is {name} now")
    return replace(named, given_name=name)
