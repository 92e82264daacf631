"""The state: records by table and id, found in other ways too, and never an id twice."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import Change, Identity, Node, User
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node, a_user, one_of_each

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def change(*puts, deletes=(), seq=0):
    return Change(tailnet=1, kind="test", puts=puts, deletes=deletes, at=NOW, seq=seq)


@pytest.fixture
def state():
    state = State(1)
    state.apply(change(a_user(1), a_node(1), seq=5))
    return state


def test_what_was_loaded_is_what_was_stored():
    state = State.load(1, 9, one_of_each(), {"node": 77})
    assert (state.seq, state.next_id(Node), state.tailnet.id) == (9, 78, 1)


def test_an_id_is_not_given_out_again(state):
    assert state.next_id(Node) == 2
    assert state.next_id(Node, after=5) == 6
    state.apply(change(deletes=[("node", 1)]))
    assert state.next_id(Node) == 2


def test_nor_is_one_that_another_replica_gave_out_and_took_back_before_this_one_heard_of_it(state):
    state.apply(change())  # a row that is gone again is not in the change that made it
    state.apply(change(deletes=[("node", 7)]))
    assert state.next_id(Node) == 8


def test_what_is_not_there_is_named(state):
    with pytest.raises(NotFoundError, match="node 9 does not exist"):
        state.get(Node, 9)
    assert state.find(Node, 9) is None
    assert state.find(Node, None) is None


def test_versions_count_everything_and_numbers_only_what_is_durable(state):
    before = (state.version, state.seq)
    state.apply(change(a_user(2)))
    state.tick()
    assert (state.version, state.seq) == (before[0] + 2, before[1])
    state.apply(change(a_user(3), seq=6))
    assert state.seq == 6


def test_a_tagged_node_has_no_owner(state):
    node = replace(a_node(1), tags=())
    state.apply(change(node))
    assert state.owner(node) == a_user(1)
    assert state.owner(replace(node, tags=("tag:a",))) is None


def test_indexes_follow_a_record(state):
    before = a_node(1)
    after = replace(before, given_name="other", ipv4="100.64.9.9", node_key=a_node(2).node_key, user_id=2)
    state.apply(change(after))
    index = state.index
    assert (index.node_by_name, index.node_by_key) == ({"other": 1}, {after.node_key: 1})
    assert (index.node_by_address, index.nodes_by_user) == ({"100.64.9.9": 1, after.ipv6: 1}, {2: {1}})
    state.apply(change(deletes=[("node", 1)]))
    assert not any((index.node_by_name, index.node_by_key, index.node_by_address, index.nodes_by_machine))


def test_two_nodes_may_swap_their_names_in_one_change(state):
    one, two = a_node(1), a_node(2)
    state.apply(change(two))
    state.apply(change(replace(one, given_name=two.given_name), replace(two, given_name=one.given_name)))
    assert state.index.node_by_name == {one.given_name: 2, two.given_name: 1}


def test_a_user_is_found_by_each_identity(state):
    state.apply(change(replace(a_user(1), identities=(Identity("ldap", "x"), Identity("oidc", "y")))))
    assert state.index.user_by_identity == {("ldap", "x"): 1, ("oidc", "y"): 1}


steps = st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 9)), max_size=25)


@given(steps)
def test_indexes_are_those_of_a_state_loaded_from_the_same_records(steps):
    state = State(1)
    for node_id, there, number in steps:
        if there:
            node = replace(a_node(node_id), given_name=f"n{node_id}-{number}", user_id=number % 3)
            state.apply(change(node))
        else:
            state.apply(change(deletes=[("node", node_id)]))
    fresh = State.load(1, 0, list(state.all(Node)), {})
    assert vars(state.index) == vars(fresh.index)
    assert set(state.ordinals.ids(state.ordinals.all)) == set(state.table(Node))


def test_users_are_records_of_their_table(state):
    assert list(state.all(User)) == [a_user(1)]
    assert state.table(User) == {1: a_user(1)}
