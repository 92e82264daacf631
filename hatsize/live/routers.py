"""Which routers count as connected, and who serves each route: a router that left or went silent is replaced, one that
stays is kept, and one that comes back does not take its routes back."""

from collections import Counter
from collections.abc import Mapping

from hatsize.hooks.policy import CompiledPolicy
from hatsize.policy.addresses import is_exit
from hatsize.policy.topology import approved_routes
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State


class Routers:
    """The elections of one tailnet. A router counts as connected until it is known to have left.

    After a start nobody has left yet, so that routes stay where they were while the clients come back.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._away: set[int] = set()
        self._silent: set[int] = set()
        """Those that have a stream and did not answer when they were probed."""
        self._primaries: Mapping[str, int] = {}

    def came(self, node_id: int) -> bool:
        """A node is connected; whether that may move routes."""
        known = node_id in self._away or node_id in self._silent
        self.forget(node_id)
        return known and self._routes(node_id)

    def left(self, node_id: int) -> bool:
        """A node is not connected any more; whether that may move routes."""
        self._away.add(node_id)
        return self._routes(node_id)

    def probed(self, answered: Mapping[int, bool]) -> bool:
        """Routers were probed, and some answered; whether that may move routes."""
        silent = {node_id for node_id, there in answered.items() if not there}
        news = (self._silent & answered.keys()) ^ silent
        self._silent ^= news
        return bool(news)

    def prefer(self, primaries: Mapping[str, int]) -> bool:
        """Let these nodes serve these routes where they can; whether that may move routes."""
        news = primaries != self._primaries
        self._primaries = primaries
        return news

    @property
    def primaries(self) -> Mapping[str, int]:
        """By route, the id of the node that serves it."""
        return self._primaries

    @property
    def silent(self) -> frozenset[int]:
        """The connected ones that did not answer when they were probed."""
        return frozenset(self._silent)

    def forget(self, node_id: int) -> None:
        self._away.discard(node_id)
        self._silent.discard(node_id)

    def elected(self, policy: CompiledPolicy) -> tuple[CompiledPolicy, bool]:
        """The policy with the routers of now, and whether a route moved."""
        online = frozenset(self._state.table(Node)) - self._away - self._silent
        policy = policy.with_routers(self._primaries, online)
        former, self._primaries = self._primaries, policy.primaries()
        return policy, former != self._primaries

    def ids(self) -> list[int]:
        """The nodes that serve routes, or could."""
        return [node.id for node in self._state.all(Node) if node.approved_routes]

    def standing_in(self) -> list[int]:
        """The connected routers that serve a route together with another one; exit routes need no election."""
        served = {
            node_id: [route for route in approved_routes(self._state.get(Node, node_id)) if not is_exit(route)]
            for node_id in self.ids()
            if node_id not in self._away
        }
        count = Counter(route for routes in served.values() for route in routes)
        return [node_id for node_id, routes in served.items() if any(count[route] > 1 for route in routes)]

    def _routes(self, node_id: int) -> bool:
        node = self._state.find(Node, node_id)
        return node is not None and bool(node.approved_routes)
