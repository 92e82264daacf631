"""What a policy is compiled against: the users, nodes and services of one tailnet at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hatsize.policy.errors import PolicyError
from hatsize.tailnet.model import Node, Role, Service, User
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, ZERO_MACHINE_KEY, ZERO_NODE_KEY
from hatsize.wire.tailcfg import Hostinfo


@dataclass(frozen=True)
class Topology:
    """One tailnet as policies see it. The mappings go by id, and must not change once they are in here."""

    users: Mapping[int, User] = field(default_factory=dict)
    nodes: Mapping[int, Node] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    """By name, `svc:` included."""
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Groups synced from elsewhere than the users' own records, by `group:name@domain`: the logins in them."""
    shared: frozenset[int] = frozenset()
    """Ids of nodes that belong to users of another tailnet, to whom something of this one is shared."""
    domain: str = ""
    """The domain that `user:*@…` and `localpart:*@…` may name; empty where any will do."""
    display_name: str = ""
    magic_dns: bool = True
    https: bool = False
    auto_updates: bool = False
    online: frozenset[int] | None = None
    """Ids of the nodes that are connected; None where nothing is known, and all count as connected."""
    primaries: Mapping[str, int] = field(default_factory=dict)
    """Which node serves a route that several have, as elected so far; it stays while it is online."""

    def with_node(self, node: Node) -> "Topology":
        """The same with a node added or replaced."""
        return replace(self, nodes={**self.nodes, node.id: node})

    def without_node(self, node_id: int) -> "Topology":
        return replace(self, nodes={key: node for key, node in self.nodes.items() if key != node_id})

    def user_of(self, node: Node) -> User | None:
        """Who owns the node; nobody owns a tagged one."""
        return None if node.tags or node.user_id is None else self.users.get(node.user_id)


def from_state(state: State, **known: Any) -> Topology:
    """A tailnet as it is now; `known` are fields of `Topology` that the state does not tell. The tables stay shared."""
    services = {service.name: service for service in state.all(Service)}
    return Topology(users=state.table(User), nodes=state.table(Node), services=services, **known)


def approved_routes(node: Node) -> tuple[str, ...]:
    """The routes a node serves: advertised and approved, in the order of the advertisement."""
    approved = set(node.approved_routes)
    return tuple(route for route in node.advertised_routes if route in approved)


_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def from_golden(data: Mapping[str, Any]) -> Topology:
    """The offline form: `tailnet`, `tailnet_config`, and `users` and `nodes` (or both inside `topology`).

    A node may tell `attributes` for postures, and `primary_routes`. JSON's members have no order, so nodes get their
    ids in the natural order of their names: `gate-2` before `gate-10`. Raises PolicyError where it is not that form.
    """
    try:
        inner = data.get("topology", data)
        by_id = sorted(inner["users"], key=lambda raw: int(raw.get("id") or 0))
        users = {number: _user(number, raw) for number, raw in enumerate(by_id, 1)}
        by_name = {user.name: user.id for user in users.values()}
        listed = sorted(inner["nodes"].items(), key=lambda item: (len(item[0]), item[0]))
        nodes = {number: _node(number, name, raw, by_name) for number, (name, raw) in enumerate(listed, 1)}
        primaries = {
            route: number for number, (_, raw) in enumerate(listed, 1) for route in raw.get("primary_routes") or ()
        }
        return _configured(Topology(users=users, nodes=nodes, primaries=primaries), data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyError(f"the topology is not in the expected form: {error!r}") from None


def _configured(topology: Topology, data: Mapping[str, Any]) -> Topology:
    owner = str(data.get("tailnet") or "")
    config = data.get("tailnet_config") or {}
    dns, settings = config.get("dns") or {}, config.get("settings") or {}
    return replace(
        topology,
        domain=owner.rpartition("@")[2],
        display_name=owner,
        magic_dns=bool(dns.get("magic_dns", True)),
        https=bool(settings.get("https_enabled")),
        auto_updates=bool(settings.get("devices_auto_updates_on")),
    )


def _user(number: int, raw: Mapping[str, Any]) -> User:
    return User(
        id=number,
        name=raw["name"],
        email=raw.get("email") or "",
        role=Role(raw.get("role") or "member"),
        groups=tuple(raw.get("groups") or ()),
        created=_LONG_AGO,
    )


def _node(number: int, name: str, raw: Mapping[str, Any], users: Mapping[str, int]) -> Node:
    owner = raw.get("user")
    return Node(
        id=number,
        stable_id=f"n{number}",
        machine_key=ZERO_MACHINE_KEY,
        node_key=ZERO_NODE_KEY,
        disco_key=ZERO_DISCO_KEY,
        given_name=name,
        user_id=users[owner] if owner else None,
        tags=tuple(raw.get("tags") or ()),
        ipv4=raw.get("ipv4") or None,
        ipv6=raw.get("ipv6") or None,
        hostinfo=Hostinfo(Hostname=raw.get("hostname") or name, RoutableIPs=tuple(raw.get("routable_ips") or ())),
        approved_routes=tuple(raw.get("approved_routes") or ()),
        attributes=dict(raw.get("attributes") or {}),
        created=_LONG_AGO,
    )
