"""Posture attributes: custom ones, of one type each."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.attributes import set_attributes
from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node

NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def state():
    state = State(1)
    node = replace(a_node(), attributes={"custom:tier": "gold", "custom:score": 1.5})
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
