"""Nodes by what a policy can tell apart.

Nodes of one class are owned by the same user or carry the same tags, lie in the same address ranges that the policy
names, serve the same routes and meet the same postures. Nothing in a policy means different things for two of them,
but for their own addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hatsize.policy.addresses import own_prefixes
from hatsize.policy.directory import Directory, Names
from hatsize.policy.document import Document
from hatsize.policy.literals import Literals
from hatsize.policy.topology import Topology, approved_routes
from hatsize.tailnet.model import Node

ClassKey = tuple[int | None, frozenset[str], bool, int, int, tuple[str, ...], int, bool]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a policy knows of one node."""

    node: Node
    index: int
    number: int
    """The node's class."""
    addresses: tuple[str, ...]
    """Without IPv4 where that is switched off for the node."""


@dataclass(frozen=True, slots=True)
class NodeClass:
    number: int
    key: ClassKey
    names: Names
    user_id: int | None
    tags: frozenset[str]
    shared: bool
    """Whether they belong to another tailnet's user."""
    holding: int
    """The literals that contain the nodes' addresses, as a bitset of literal numbers."""
    touching: int
    """The literals that the nodes' routes lead to."""
    routes: tuple[str, ...]
    """What the nodes serve besides themselves: approved routes, and addresses of services."""
    postures: int
    """The postures the nodes meet, as a bitset of positions in the document."""
    no_ipv4: bool
    nodes: int = 0
    """Bitset of node indexes."""


class Classifier:
    """Puts nodes into classes; made once for a document and the users of a tailnet."""

    def __init__(self, document: Document, topology: Topology, directory: Directory, literals: Literals) -> None:
        self.document, self.directory, self.literals = document, directory, literals
        self.shared = topology.shared
        self._served = _served(topology)
        self._no_ipv4 = frozenset(
            target for entry in document.node_attrs if "disable-ipv4" in entry.attrs for target in entry.target
        )

    def key(self, node: Node) -> ClassKey:
        user_id, tags = (None, frozenset(node.tags)) if node.tags else (node.user_id, frozenset[str]())
        routes = approved_routes(node) + self._served.get(node.id, ())
        touching = 0
        for route in routes:
            touching |= self.literals.touching(route)
        shared = node.id in self.shared
        names = self.directory.of(user_id, tags, shared=shared)
        return (
            user_id, tags, shared, self.literals.holding(node.addresses), touching, routes, self._postures(node),
            self.document.disable_ipv4 or not self._no_ipv4.isdisjoint(names),
        )  # fmt: skip

    def _postures(self, node: Node) -> int:
        if not self.document.postures:
            return 0
        attributes = posture_attributes(node)
        return sum(
            1 << index for index, posture in enumerate(self.document.postures.values()) if posture.holds(attributes)
        )

    def make(self, number: int, key: ClassKey) -> NodeClass:
        user_id, tags, shared, holding, touching, routes, postures, no_ipv4 = key
        names = self.directory.of(user_id, tags, shared=shared)
        return NodeClass(number, key, names, user_id, tags, shared, holding, touching, routes, postures, no_ipv4)


def _served(topology: Topology) -> dict[int, tuple[str, ...]]:
    """The addresses of the services each host serves, as prefixes."""
    found: dict[int, tuple[str, ...]] = {}
    for service in topology.services.values():
        for host in service.approved_hosts:
            found[host] = found.get(host, ()) + own_prefixes(service.addresses)
    return found


def posture_attributes(node: Node) -> Mapping[str, Any]:
    """The attributes postures compare: what the client told, and what was set."""
    info = node.hostinfo
    told = {
        "node:os": _OS.get(info.OS, info.OS.lower()) or None,
        "node:osVersion": info.OSVersion or None,
        "node:tsVersion": info.IPNVersion.partition("-")[0] or None,
        "node:tsReleaseTrack": _track(info.IPNVersion),
        "node:tsAutoUpdate": info.AllowsUpdate if info.IPNVersion else None,
        "node:tsStateEncrypted": info.StateEncrypted,
    }
    return {**{name: value for name, value in told.items() if value is not None}, **node.attributes}


_OS = {"macOS": "macos", "iOS": "ios", "tvOS": "tvos", "linux": "linux", "windows": "windows", "android": "android"}


def _track(version: str) -> str | None:
    """Even minor versions are stable releases, odd ones are not."""
    parts = version.split(".")
    if len(parts) < 2 or not parts[1].isdigit():
        return None
    return "unstable" if int(parts[1]) % 2 else "stable"


def with_node(found: NodeClass, index: int) -> NodeClass:
    return replace(found, nodes=found.nodes | 1 << index)


def without_node(found: NodeClass, index: int) -> NodeClass:
    return replace(found, nodes=found.nodes & ~(1 << index))
