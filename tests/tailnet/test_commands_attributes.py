"""Posture attributes: custom ones, of one type each, some of them for a while."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.attributes import Passing, forget_attributes, set_attributes, set_attributes_of
from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node

NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def state():
    state = State(1)
    node = replace(a_node(), attributes={"custom:tier": "gold", "custom:score": 1.5}, attribute_expiries=None)
    state.apply(Change(tailnet=1, kind="node.registered", puts=(node,), at=NOW))
    return state


def after(state, **update):
    change = set_attributes(state, 1, {f"custom:{name}": value for name, value in update.items()}, NOW, actor="node")
    if change is not None:
        state.apply(change)
    return state.get(Node, 1).attributes


def test_attributes_are_set_changed_and_deleted(state):
    assert after(state, tier="silver", managed=True, score=None) == {"custom:tier": "silver", "custom:managed": True}


def test_what_is_so_already_is_no_change(state):
    assert set_attributes(state, 1, {"custom:tier": "gold", "custom:none": None}, NOW, actor="node") is None


def test_an_attribute_keeps_its_type_until_it_is_deleted(state):
    with pytest.raises(InvalidError, match=r"custom:tier.*is a str.*delete it first"):
        after(state, tier=5.0)
    after(state, tier=None)
    assert after(state, tier=5.0)["custom:tier"] == 5.0


@pytest.mark.parametrize("name", ["tier", "node:os", "custom:", "custom:a b", "custom:" + "x" * 122, "custom:ä"])
def test_a_name_is_custom_and_short(state, name):
    with pytest.raises(InvalidError, match="custom:"):
        set_attributes(state, 1, {name: "x"}, NOW, actor="node")


@pytest.mark.parametrize("value", ["x" * 51, "a b", "ä", 2.0**53, -(2.0**53)])
def test_a_value_is_small(state, value):
    with pytest.raises(InvalidError, match="custom:new"):
        after(state, new=value)


def test_of_several_attributes_all_are_set_or_none(state):
    with pytest.raises(InvalidError):
        after(state, fine="x", wrong="a b")
    assert "custom:fine" not in state.get(Node, 1).attributes


def test_a_node_that_is_not_there_is_named(state):
    with pytest.raises(NotFoundError, match="node 9 does not exist"):
        set_attributes(state, 9, {}, NOW, actor="node")


def test_an_attribute_is_forgotten_when_its_time_is_over(state):
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    update = {"custom:tier": Passing("silver", soon), "custom:score": Passing(2.5, later)}
    state.apply(set_attributes(state, 1, update, NOW, actor="node"))
    assert forget_attributes(state, NOW, actor="server") is None
    state.apply(forget_attributes(state, soon, actor="server"))
    assert state.get(Node, 1).attributes == {"custom:score": 2.5}
    state.apply(forget_attributes(state, later, actor="server"))
    assert (state.get(Node, 1).attributes, state.get(Node, 1).attribute_expiries) == ({}, None)


@pytest.mark.parametrize("again", ["gold", None])
def test_an_attribute_that_is_set_or_deleted_again_has_no_expiry_left(state, again):
    passing = {"custom:tier": Passing("gold", NOW + timedelta(hours=1))}
    state.apply(set_attributes(state, 1, passing, NOW, actor="node"))
    state.apply(set_attributes(state, 1, {"custom:tier": again}, NOW, actor="node"))
    assert state.get(Node, 1).attribute_expiries is None


def test_an_expiry_that_is_over_is_refused(state):
    with pytest.raises(InvalidError, match=r"custom:tier.*2026-03-04 00:00:00 UTC, is over"):
        set_attributes(state, 1, {"custom:tier": Passing("gold", NOW)}, NOW, actor="node")


def test_of_several_nodes_all_are_set_or_none(state):
    state.apply(Change(tailnet=1, kind="node.registered", puts=(replace(a_node(2), attributes={}),), at=NOW))
    change = set_attributes_of(state, {1: {"custom:tier": None}, 2: {"custom:tier": 5}}, NOW, actor="node")
    assert [(node.id, node.attributes.get("custom:tier")) for node in change.puts] == [(1, None), (2, 5)]
    with pytest.raises(InvalidError):
        set_attributes_of(state, {2: {"custom:tier": 5}, 1: {"custom:tier": 5}}, NOW, actor="node")
    with pytest.raises(NotFoundError):
        set_attributes_of(state, {1: {"custom:tier": None}, 9: {}}, NOW, actor="node")
