"""What plugins keep: each under keys of its own, for as long as it says."""

from datetime import UTC, datetime, timedelta

import pytest

from hatsize.tailnet.commands.plugin_items import (
    LARGEST_VALUE,
    LONGEST_KEY,
    delete_item,
    forget_items,
    item_of,
    items_of,
    put_item,
)
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import PluginItem
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


@pytest.fixture
def state():
    return State(1)


def put(state, key, value, plugin="door", **terms):
    change = put_item(state, plugin, key, value, NOW, **terms)
    if change is not None:
        state.apply(change)
    return change


def value(state, key, plugin="door", now=NOW):
    item = item_of(state, plugin, key, now)
    return item and item.value


def keys(state, prefix="", now=NOW):
    return [item.key for item in items_of(state, "door", prefix, now)]


def test_a_value_is_found_by_its_key(state):
    made = put(state, "visits", b"3")
    assert (made.kind, made.actor) == ("plugin.item_set", "door")
    assert value(state, "visits") == b"3"
    assert value(state, "visitors") is None


def test_a_newer_value_takes_the_place_of_the_older(state):
    put(state, "visits", b"3", expires=SOON)
    put(state, "visits", b"4")
    assert value(state, "visits", now=SOON) == b"4"
    assert len(state.table(PluginItem)) == 1


def test_what_is_so_already_is_no_change(state):
    put(state, "visits", b"3", expires=SOON)
    assert put(state, "visits", b"3", expires=SOON) is None
    assert delete_item(state, "door", "none", NOW) is None
    assert forget_items(state, NOW, actor="server") is None


def test_plugins_do_not_see_each_others_keys(state):
    put(state, "visits", b"3")
    put(state, "visits", b"9", plugin="lock")
    state.apply(delete_item(state, "lock", "visits", NOW))
    assert (value(state, "visits"), value(state, "visits", plugin="lock")) == (b"3", None)


def test_keys_are_listed_in_order_by_how_they_begin(state):
    for key in ("b/2", "a/1", "b/1"):
        put(state, key, b"")
    assert keys(state) == ["a/1", "b/1", "b/2"]
    assert keys(state, "b/") == ["b/1", "b/2"]
    assert items_of(state, "lock", "", NOW) == []


def test_what_is_deleted_is_gone_and_can_be_put_again(state):
    put(state, "visits", b"3")
    made = delete_item(state, "door", "visits", NOW)
    state.apply(made)
    assert (made.kind, keys(state)) == ("plugin.item_deleted", [])
    put(state, "visits", b"4")
    assert value(state, "visits") == b"4"


def test_what_is_over_is_not_given_out_and_then_forgotten(state):
    put(state, "passing", b"1", expires=SOON)
    put(state, "lasting", b"2")
    assert keys(state) == ["lasting", "passing"]
    assert (value(state, "passing", now=SOON), keys(state, now=SOON)) == (None, ["lasting"])
    made = forget_items(state, SOON, actor="server")
    state.apply(made)
    assert (made.kind, made.actor, len(state.table(PluginItem))) == ("plugin.item_deleted", "server", 1)


@pytest.mark.parametrize("key", ["", "k" * (LONGEST_KEY + 1), "a\nb", "a\0b", "\ud800"])
def test_a_key_that_cannot_be_one_is_refused(state, key):
    with pytest.raises(InvalidError, match=r"plugin 'door' cannot keep anything under .*1 to 255 characters"):
        put(state, key, b"")


def test_the_longest_key_and_the_largest_value_are_kept(state):
    put(state, "ü" * LONGEST_KEY, bytes(LARGEST_VALUE))
    assert len(value(state, "ü" * LONGEST_KEY)) == LARGEST_VALUE


def test_a_larger_value_is_refused_and_not_shown(state):
    with pytest.raises(InvalidError, match="plugin 'door' cannot keep 65537 octets under 'visits'") as refused:
        put(state, "visits", b"secret." + bytes(LARGEST_VALUE - 6))
    assert "secret" not in str(refused.value)


def test_an_expiry_has_a_time_zone(state):
    with pytest.raises(InvalidError, match="'visits' an expiry without a time zone: give it in UTC"):
        put(state, "visits", b"", expires=datetime(2026, 3, 4))  # noqa: DTZ001


def test_no_value_is_shown_by_accident(state):
    assert "secret" not in repr(put(state, "visits", b"secret"))
