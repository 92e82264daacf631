"""Which routes of a peer a viewer is given, and which of several routers serves them.

A viewer gets a route from the router elected for it among all, if a rule lets it reach some of the route, or lets what
is behind the route reach it. If only rules with `via` let it, the router is elected among those with the tags. Exit
routes are not exclusive. A router that is not elected gets the route from the one that is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hatsize.policy.addresses import is_exit
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Edge, Matches, ones
from hatsize.policy.population import Population


@dataclass(frozen=True)
class Access:
    """Who may reach a route, as bitsets of classes: by plain rules, and by each rule with `via`."""

    plain: int
    via: tuple[tuple[int, int], ...]
    """(classes of the source, nodes that have the tags and serve the route)."""


@dataclass
class Routing:
    population: Population
    matches: Matches
    literals: Literals
    sticky: Mapping[str, int] = field(default_factory=dict)
    """By route the id of the node that served it last."""
    online: int = -1
    """Bitset of the connected nodes' indexes."""
    accesses: dict[str, Access] = field(default_factory=dict)
    elected: dict[str, int] = field(default_factory=dict)

    def shown(self, viewer_id: int, peer_id: int) -> tuple[str, ...]:
        """The peer's routes that the viewer is given, in the order in which the peer advertises them."""
        facts = self.population.facts
        routes = self.population.classes[facts[peer_id].number].routes
        if not routes:
            return ()
        viewer, peer = facts[viewer_id], facts[peer_id]
        mine = self.population.classes[viewer.number].routes
        return tuple(route for route in routes if self._is_shown(route, viewer.number, mine, peer.index))

    def _is_shown(self, route: str, viewer: int, mine: tuple[str, ...], peer: int) -> bool:
        access = self._access(route)
        if access.plain >> viewer & 1:
            return is_exit(route) or self.primary(route) == peer
        steered = 0
        for classes, routers in access.via:
            if classes >> viewer & 1:
                steered |= routers
        if steered:
            return bool(steered >> peer & 1) if is_exit(route) else self._among(route, steered) == peer
        return route in mine and not is_exit(route) and self.primary(route) == peer

    def primary(self, route: str) -> int:
        """The index of the node that serves a route, -1 if none does."""
        found = self.elected.get(route)
        if found is None:
            found = self.elected[route] = self._elect(route, self.population.routers.get(route, 0))
        return found

    def _among(self, route: str, routers: int) -> int:
        primary = self.primary(route)
        return primary if primary >= 0 and routers >> primary & 1 else self._elect(route, routers)

    def _elect(self, route: str, routers: int) -> int:
        """Who served the route stays if it is connected; else the connected one with the lowest id, else the lowest."""
        standing = routers & self.online or routers
        if not standing:
            return -1
        last = self.population.facts.get(self.sticky.get(route, 0))
        if last and standing >> last.index & 1:
            return last.index
        return min(ones(standing), key=self.population.ordinals.at)

    def _access(self, route: str) -> Access:
        found = self.accesses.get(route)
        if found is None:
            found = self.accesses[route] = self._work_out(route)
        return found

    def _work_out(self, route: str) -> Access:
        touching, outward = self.literals.touching(route), is_exit(route)
        plain, via = 0, []
        for edge in self.matches.edges:
            sources, destinations = self.matches.sources[edge.number], self.matches.destinations[edge.number]
            if edge.dst.literal_bits & touching or (edge.dst.everything and not edge.via):
                if edge.via:
                    routers = self.population.nodes(destinations) & self.population.routers.get(route, 0)
                    via += [(sources, routers)] if routers else []
                else:
                    plain |= sources
            if not outward and _is_behind(edge, touching):
                plain |= destinations
        return Access(plain, tuple(via))


def _is_behind(edge: Edge, touching: int) -> bool:
    """Whether what is behind a route is a source of the rule."""
    return not edge.postures and (edge.src.everything or bool(edge.src.literal_bits & touching))
