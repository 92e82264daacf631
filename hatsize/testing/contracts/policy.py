"""The contract of a policy engine, as tests. Subclass it and say how yours is made, and with which documents:

class TestMine(PolicyEngineContract):
    @pytest.fixture
    def engine(self):
        return Mine()

    @pytest.fixture(params=[None, "my language"])
    def document(self, request):
        return request.param
"""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hatsize.hooks.policy import CompiledPolicy, PolicyEngine, RevisingPolicyEngine
from hatsize.tailnet.model import Change, Node, Record, Role, User, UserStatus
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user
from hatsize.wire import tailcfg

NOW = datetime(2026, 3, 4, tzinfo=UTC)
ROUTES = ("10.1.0.0/16", "10.2.0.0/16")


def a_population() -> list[Record]:
    """Two users with nodes of their own, tagged nodes, and two routers of the same routes."""
    users = [replace(a_user(number), status=UserStatus.ACTIVE, email="") for number in (1, 2)]
    owned = [replace(a_node(number), user_id=number % 2 + 1, tags=()) for number in range(1, 5)]
    tagged = [replace(a_node(number), tags=("tag:server",)) for number in (5, 6)]
    told = replace(a_node().hostinfo, RoutableIPs=ROUTES)
    routers = [replace(a_node(number), tags=(), hostinfo=told, approved_routes=ROUTES) for number in (7, 8)]
    return [a_tailnet(), *users, *owned, *tagged, *routers]


class PolicyEngineContract:
    """What every engine promises to the netmap."""

    @pytest.fixture
    def engine(self) -> PolicyEngine:
        raise NotImplementedError("the subclass supplies `engine`")

    @pytest.fixture
    def document(self) -> str | None:
        return None

    @pytest.fixture
    def state(self) -> State:
        state = State(1)
        state.apply(Change(tailnet=1, kind="test", puts=tuple(a_population()), at=NOW))
        return state

    @pytest.fixture
    def compiled(self, engine: PolicyEngine, document: str | None, state: State) -> CompiledPolicy:
        return engine.compile(document, state)

    def test_a_node_has_one_index_which_is_the_states(self, compiled: CompiledPolicy, state: State) -> None:
        for node_id in state.table(Node):
            assert compiled.index_of(node_id) == state.ordinals.of(node_id)
            assert compiled.node_at(compiled.index_of(node_id)) == node_id

    def test_seeing_is_mutual_and_nobody_sees_itself(self, compiled: CompiledPolicy, state: State) -> None:
        for one in state.table(Node):
            assert not compiled.visible(one) >> compiled.index_of(one) & 1
            assert compiled.visible(one) & ~state.ordinals.all == 0
            for other in state.ordinals.ids(compiled.visible(one)):
                assert compiled.visible(other) >> compiled.index_of(one) & 1

    def test_equal_variants_mean_equal_routes(self, compiled: CompiledPolicy, state: State) -> None:
        for peer in state.table(Node):
            told: dict[object, object] = {}
            for viewer in state.ordinals.ids(compiled.visible(peer)):
                routes = tuple(compiled.allowed_ips(viewer, peer)), tuple(compiled.primary_routes(viewer, peer))
                assert told.setdefault(compiled.route_variant(viewer, peer), routes) == routes

    def test_a_route_has_one_primary_for_a_viewer(self, compiled: CompiledPolicy, state: State) -> None:
        for viewer in state.table(Node):
            given = [
                route
                for peer in state.ordinals.ids(compiled.visible(viewer))
                for route in compiled.primary_routes(viewer, peer)
            ]
            assert len(given) == len(set(given))

    def test_everything_told_can_be_sent(self, compiled: CompiledPolicy, state: State) -> None:
        for node_id in state.table(Node):
            assert artefacts(compiled, node_id)

    def test_updating_is_compiling_anew(
        self, engine: PolicyEngine, document: str | None, compiled: CompiledPolicy, state: State
    ) -> None:
        """And nobody but the affected is told anything new."""
        steps: list[Change] = [
            Change(tailnet=1, kind="test", puts=(replace(a_node(9), tags=()),), at=NOW),
            Change(tailnet=1, kind="test", puts=(replace(a_node(2), tags=("tag:server",)),), at=NOW),
            Change(tailnet=1, kind="test", puts=(replace(state.get(Node, 7), approved_routes=()),), at=NOW),
            Change(tailnet=1, kind="test", deletes=(("node", 5),), at=NOW),
        ]
        for step in steps:
            before = {node_id: artefacts(compiled, node_id) for node_id in state.table(Node)}
            state.apply(step)
            touched = [record.id for record in step.puts] + [record_id for _, record_id in step.deletes]
            compiled, affected = engine.update(compiled, state, touched)
            assert_same(compiled, engine.compile(document, state), state)
            for node_id in state.table(Node):
                if not affected >> compiled.index_of(node_id) & 1:
                    assert artefacts(compiled, node_id) == before[node_id]

    def test_revising_is_compiling_anew(
        self, engine: PolicyEngine, document: str | None, compiled: CompiledPolicy, state: State
    ) -> None:
        """Where the engine can: for users who are made, renamed and promoted, with nodes that change at once."""
        if not isinstance(engine, RevisingPolicyEngine):
            pytest.skip("this engine compiles anew")
        user = state.get(User, 2)
        steps: list[Change] = [
            Change(tailnet=1, kind="user.created", puts=(replace(user, id=3, name="third"),), at=NOW),
            Change(tailnet=1, kind="user.updated", puts=(replace(user, name="another", role=Role.ADMIN),), at=NOW),
            Change(tailnet=1, kind="user.updated", puts=(user, replace(a_node(2), user_id=3, tags=())), at=NOW),
            Change(tailnet=1, kind="user.deleted", deletes=((Node.table, 2), (User.table, 3)), at=NOW),
        ]
        for step in steps:
            before = {node_id: artefacts(compiled, node_id) for node_id in state.table(Node)}
            state.apply(step)
            touched = [one.id for one in step.puts if isinstance(one, Node)]
            touched += [node_id for table, node_id in step.deletes if table == Node.table]
            revised = engine.revise(compiled, document, state, touched)
            compiled, affected = revised or (engine.compile(document, state), -1)
            assert_same(compiled, engine.compile(document, state), state)
            for node_id in state.table(Node):
                told_anew = affected >> compiled.index_of(node_id) & 1
                assert told_anew or artefacts(compiled, node_id) == before[node_id]


def assert_same(one: CompiledPolicy, other: CompiledPolicy, state: State) -> None:
    """Two compiled policies mean the same for every node."""
    for node_id in state.table(Node):
        assert one.visible(node_id) == other.visible(node_id)
        assert artefacts(one, node_id) == artefacts(other, node_id)


def artefacts(compiled: CompiledPolicy, node_id: int) -> list[bytes]:
    """What a node is sent of itself because of the policy, encoded. A filter's order means nothing."""
    fragments = compiled.filter_fragments(node_id)
    rules = sorted(tailcfg.encode(rule) for name in fragments for rule in fragments[name])
    return [*rules, tailcfg.encode(compiled.ssh_policy(node_id)), tailcfg.encode(dict(compiled.self_cap_map(node_id)))]
