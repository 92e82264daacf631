"""Which routers count as connected, and who serves each route: a router that left is replaced, one that stays is
kept."""

from collections.abc import Mapping

from hatsize.hooks.policy import CompiledPolicy
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State


class Routers:
    """The elections of one tailnet. A router counts as connected until it is known to have left.

    After a start nobody has left yet, so that routes stay where they were while the clients come back.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._away: set[int] = set()
        self._primaries: Mapping[str, int] = {}

    def came(self, node_id: int) -> bool:
        """A node is connected; whether that may move routes."""
        known = node_id in self._away
        self._away.discard(node_id)
        return known and self._routes(node_id)

    def left(self, node_id: int) -> bool:
        """A node is not connected any more; whether that may move routes."""
        self._away.add(node_id)
        return self._routes(node_id)

    def forget(self, node_id: int) -> None:
        self._away.discard(node_id)

    def elected(self, policy: CompiledPolicy) -> tuple[CompiledPolicy, bool]:
        """The policy with the routers of now, and whether a route moved."""
        online = frozenset(self._state.table(Node)) - self._away
        policy = policy.with_routers(self._primaries, online)
        former, self._primaries = self._primaries, policy.primaries()
        return policy, former != self._primaries

    def ids(self) -> list[int]:
        """The nodes that serve routes, or could."""
        return [node.id for node in self._state.all(Node) if node.approved_routes]

    def _routes(self, node_id: int) -> bool:
        node = self._state.find(Node, node_id)
        return node is not None and bool(node.approved_routes)
