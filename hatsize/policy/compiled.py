"""A policy compiled for a tailnet: everything a node is sent because of it.

What a class of nodes is sent is worked out when first asked for and then remembered.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hatsize.policy.addresses import is_exit, own_prefixes
from hatsize.policy.approval import Approvals
from hatsize.policy.capabilities import Capabilities, CapMap
from hatsize.policy.directory import Directory
from hatsize.policy.document import Document, NodeAttr
from hatsize.policy.filters import Filters, Mark
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Matches
from hatsize.policy.population import Population
from hatsize.policy.routing import Routing
from hatsize.policy.sources import Sources
from hatsize.policy.ssh import SSHCheck, SSHRules
from hatsize.policy.topology import Topology
from hatsize.policy.views import Views
from hatsize.tailnet.model import Node, User
from hatsize.wire.tailcfg import DERPMap, FilterRule, SSHPolicy


@dataclass(frozen=True)
class Compiled:
    """One policy, one tailnet. Sets of nodes are ints used as bitsets of the nodes' indexes."""

    document: Document
    topology: Topology
    directory: Directory
    literals: Literals
    population: Population
    matches: Matches
    sources: Sources
    views: Views
    filters: Filters
    routing: Routing
    ssh: SSHRules
    capabilities: Capabilities
    approvals: Approvals

    def index_of(self, node_id: int) -> int:
        return self.population.ordinals.of(node_id)

    def node_at(self, index: int) -> int:
        return self.population.ordinals.at(index)

    def class_of(self, node_id: int) -> int:
        """Nodes of one class see the same, up to themselves, and are told the same of it."""
        return self.population.facts[node_id].number

    def visible(self, node_id: int) -> int:
        """The nodes that this one sees, itself aside. Symmetric."""
        facts = self.population.facts[node_id]
        return self.views.seen(facts.number) & ~(1 << facts.index)

    def filter_rules(self, node_id: int) -> tuple[FilterRule, ...]:
        """The packet filter, reduced to the node."""
        return self.filters.rules(node_id)

    def filter_marks(self, node_id: int) -> Mapping[str, Mark]:
        """By name of a part of the packet filter what it is made of; while that is equal, so is the part."""
        return self.filters.marks(node_id)

    def filter_fragments(
        self, node_id: int, names: Collection[str] | None = None
    ) -> Mapping[str, tuple[FilterRule, ...]]:
        """The packet filter in parts under stable names, all or some; together they mean the same as the whole."""
        return self.filters.fragments(node_id, names)

    def allowed_ips(self, viewer_id: int, peer_id: int) -> tuple[str, ...]:
        """What the viewer routes to the peer; for a node itself all it serves."""
        facts = self.population.facts
        if viewer_id == peer_id:
            return own_prefixes(facts[peer_id].addresses) + self.population.class_of(peer_id).routes
        addresses = facts[peer_id].addresses
        if self.population.class_of(viewer_id).no_ipv4:
            addresses = tuple(address for address in addresses if ":" in address)
        return own_prefixes(addresses) + self.routing.shown(viewer_id, peer_id)

    def primary_routes(self, viewer_id: int, peer_id: int) -> tuple[str, ...]:
        """The subnet routes that the peer serves for the viewer; for a node itself those it is elected for."""
        if viewer_id != peer_id:
            return _subnets(self.routing.shown(viewer_id, peer_id))
        own = self.population.facts[peer_id]
        routes = self.population.classes[own.number].routes
        return tuple(route for route in _subnets(routes) if self.routing.primary(route) == own.index)

    def route_variant(self, viewer_id: int, peer_id: int) -> int | tuple[str, ...]:
        """Viewers for whom this is equal are told the same of the peer; an int for peers that serve no routes."""
        facts, classes = self.population.facts, self.population.classes
        no_ipv4 = int(classes[facts[viewer_id].number].no_ipv4)
        if not classes[facts[peer_id].number].routes:
            return no_ipv4
        return ("6" if no_ipv4 else "", *self.routing.shown(viewer_id, peer_id))

    def ssh_policy(self, node_id: int) -> SSHPolicy:
        """Who may open SSH sessions on the node."""
        return self.ssh.policy(node_id)

    def ssh_check(self, source_id: int, target_id: int, account: str) -> SSHCheck | None:
        """The rule under which a session into an account of the target is held."""
        return self.ssh.check(source_id, target_id, account)

    def self_cap_map(self, node_id: int) -> CapMap:
        """The node's own capabilities and attributes."""
        return self.capabilities.of_self(node_id)

    def peer_cap_map(self, viewer_id: int, peer_id: int) -> CapMap:
        """What the viewer is told that the peer has."""
        return self.capabilities.of_peer(peer_id, self.routing.shown(viewer_id, peer_id))

    def auto_approved(self, node: Node, route: str) -> bool:
        """Whether an advertised route needs nobody's approval."""
        return self.approvals.route(node, route)

    def may_tag(self, user: User | None, tag: str) -> bool:
        """Whether the user may give the tag to a node."""
        return self.approvals.may_tag(user, (), tag)

    def knows_tag(self, tag: str) -> bool:
        """Whether the tag has owners, be it an empty list."""
        return tag in self.document.tag_owners

    def address_pools(self, user: User | None, tags: Sequence[str]) -> tuple[str, ...]:
        """The pools from which such a node's IPv4 address comes; none for the tailnet's own."""
        return self.approvals.pools(user, tags)

    def node_attrs(self, node_id: int) -> list[NodeAttr]:
        """The entries of `nodeAttrs` that speak of the node."""
        return self.capabilities.attributes(self.population.class_of(node_id))

    @property
    def derp_map(self) -> DERPMap | None:
        """The policy's own relays."""
        return self.document.derp_map

    def with_routers(self, primaries: Mapping[str, int], online: frozenset[int] | None) -> "Compiled":
        """The same with other routers connected; `primaries` tells who serves each route as of now, by node id."""
        topology = replace(self.topology, primaries=primaries, online=online)
        routing = replace(self.routing, sticky=primaries, online=self.population.connected(online), elected={})
        return replace(self, topology=topology, routing=routing)

    def primaries(self) -> dict[str, int]:
        """By subnet route the id of the node that serves it; to be passed in again, so that it stays."""
        routers = self.population.routers
        return {
            route: self.node_at(index)
            for route in routers
            if not is_exit(route) and (index := self.routing.primary(route)) >= 0
        }


def _subnets(routes: Sequence[str]) -> tuple[str, ...]:
    return tuple(route for route in routes if not is_exit(route))
