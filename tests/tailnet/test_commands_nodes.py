"""Commands of an administrator on nodes and their routes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.tailnet.commands.nodes import (
    approve_node,
    delete_node,
    enable_expiry,
    expire_node,
    hold_node,
    move_node,
    rename_by_host,
    rename_node,
    set_tags,
)
from hatsize.tailnet.commands.nodes_routes import approve_routes, canonical_route
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.errors import InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Change, Node, Service, Share
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def state() -> State:
    """Two users, and a laptop (1) and a server (2) of the first one."""
    state = State(1)
    for name in ("alice", "bob"):
        state.apply(create_user(state, name, NOW))
    for number, name in enumerate(("laptop", "server"), start=1):
        node = Node(
            id=number, stable_id=f"n{number}", machine_key=machine_key(bytes([number] * 32)),
            node_key=node_key(bytes([number] * 32)), disco_key=ZERO_DISCO_KEY, given_name=name, user_id=1,
            ipv4=f"100.64.0.{number}", hostinfo=Hostinfo(), created=NOW, key_expiry=NOW + timedelta(days=9),
        )  # fmt: skip
        state.apply(Change(tailnet=1, kind="node.registered", puts=(node,), at=NOW))
    return state


def node_after(state: State, change: Change | None, node_id: int = 1) -> Node:
    assert change is not None
    state.apply(change)
    return state.get(Node, node_id)


def test_a_node_is_renamed_and_found_by_the_new_name(state):
    assert node_after(state, rename_node(state, 1, "desk", NOW)).given_name == "desk"
    assert state.index.node_by_name == {"desk": 1, "server": 2}


def test_a_node_cannot_take_another_ones_name_but_its_own(state):
    with pytest.raises(RefusedError, match="node 2's already"):
        rename_node(state, 1, "server", NOW)
    assert rename_node(state, 1, "laptop", NOW)


@pytest.mark.parametrize("name", ["", "Desk", "a b", "-x", "x-", "x" * 64, "a.b", "ü"])
def test_a_name_must_be_a_dns_label(state, name):
    with pytest.raises(InvalidError):
        rename_node(state, 1, name, NOW)


@pytest.mark.parametrize(
    ("expiry", "kind"), [(NOW, "node.expired"), (NOW + timedelta(hours=1), "node.updated"), (None, "node.updated")]
)
def test_a_nodes_key_expires_now_or_later_or_never(state, expiry, kind):
    change = expire_node(state, 1, expiry, NOW)
    assert change.kind == kind
    assert node_after(state, change).key_expiry == expiry


def test_an_expiry_that_was_disabled_is_the_same_once_it_is_enabled(state):
    before = state.get(Node, 1).key_expiry
    for _ in range(2):
        assert node_after(state, expire_node(state, 1, None, NOW)).key_expiry is None
    assert node_after(state, enable_expiry(state, 1, None, NOW)).key_expiry == before
    assert enable_expiry(state, 1, timedelta(days=1), NOW) is None


def test_where_there_was_no_expiry_one_is_as_far_off_as_for_a_new_node(state):
    state.apply(Change(tailnet=1, kind="node.updated", puts=(replace(state.get(Node, 1), key_expiry=None),), at=NOW))
    assert enable_expiry(state, 1, None, NOW) is None
    assert node_after(state, enable_expiry(state, 1, timedelta(days=3), NOW)).key_expiry == NOW + timedelta(days=3)


def test_a_nodes_approval_is_taken_back_and_given_again(state):
    change = hold_node(state, 1, NOW)
    assert (change.kind, node_after(state, change).authorized) == ("node.held", False)
    assert hold_node(state, 1, NOW) is None
    assert node_after(state, approve_node(state, 1, NOW)).authorized


def test_a_node_is_named_by_its_host_again(state):
    for number, hostname in enumerate(("Server", "Server"), start=1):
        node = replace(state.get(Node, number), hostinfo=Hostinfo(Hostname=hostname))
        state.apply(Change(tailnet=1, kind="node.updated", puts=(node,), at=NOW))
    assert node_after(state, rename_by_host(state, 2, NOW), 2).given_name == "server"
    assert node_after(state, rename_by_host(state, 1, NOW)).given_name == "server-1"


def test_a_deleted_node_takes_its_shares_and_its_part_in_services_along(state):
    share = Share(id=1, node_id=1, created=NOW)
    service = Service(id=1, name="svc:web", approved_hosts=(1, 2))
    state.apply(Change(tailnet=1, kind="service.updated", puts=(share, service), at=NOW))
    state.apply(delete_node(state, 1, NOW))
    assert list(state.table(Node)) == [2]
    assert not list(state.all(Share))
    assert state.get(Service, 1).approved_hosts == (2,)


def test_a_tagged_node_is_nobodys_and_does_not_expire(state):
    node = node_after(state, set_tags(state, 1, ["tag:web", "tag:db", "tag:web"], lambda _: True, NOW))
    assert node.tags == ("tag:db", "tag:web")
    assert state.owner(node) is None
    assert node.key_expiry is None


def test_a_tagged_nodes_own_expiry_stays_when_its_tags_change(state):
    state.apply(set_tags(state, 1, ["tag:web"], lambda _: True, NOW))
    state.apply(expire_node(state, 1, NOW, NOW))
    assert node_after(state, set_tags(state, 1, ["tag:db"], lambda _: True, NOW)).key_expiry == NOW


@pytest.mark.parametrize(
    ("tags", "told"), [([], "one tag at least"), (["web"], "is not a tag"), (["tag:new"], "tagOwners")]
)
def test_tags_the_policy_does_not_know_are_refused(state, tags, told):
    with pytest.raises(InvalidError, match=told):
        set_tags(state, 1, tags, {"tag:web"}.__contains__, NOW)


def test_a_node_moves_to_another_user(state):
    state.apply(set_tags(state, 1, ["tag:web"], lambda _: True, NOW))
    node = node_after(state, move_node(state, 1, 2, NOW))
    assert (node.user_id, node.tags) == (2, ())
    assert state.index.nodes_by_user == {1: {2}, 2: {1}}


def test_approved_routes_replace_those_before_in_order(state):
    state.apply(approve_routes(state, 1, ["10.9.0.0/16"], NOW))
    node = node_after(state, approve_routes(state, 1, ["fd00::/64", "10.0.0.0/24", "10.0.0.0/8", "10.0.0.0/8"], NOW))
    assert node.approved_routes == ("10.0.0.0/8", "10.0.0.0/24", "fd00::/64")
    assert node_after(state, approve_routes(state, 1, [], NOW)).approved_routes == ()


@pytest.mark.parametrize("route", ["0.0.0.0/0", "::/0"])
def test_an_exit_node_is_approved_for_both_families(state, route):
    assert node_after(state, approve_routes(state, 1, [route], NOW)).approved_routes == ("0.0.0.0/0", "::/0")


@pytest.mark.parametrize("route", ["10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "net", ""])
def test_a_route_must_be_a_whole_prefix(state, route):
    with pytest.raises(InvalidError, match=r"prefix|mean"):
        approve_routes(state, 1, [route], NOW)


@settings(deadline=None)
@given(st.ip_addresses().map(lambda address: f"{address}/{address.max_prefixlen}") | st.text())
def test_a_canonical_route_stays_as_it_is(text):
    try:
        route = canonical_route(text)
    except InvalidError:
        return
    assert canonical_route(route) == route


def test_what_does_not_exist_is_named(state):
    everyone = [
        lambda: rename_node(state, 9, "x", NOW), lambda: expire_node(state, 9, NOW, NOW),
        lambda: delete_node(state, 9, NOW), lambda: set_tags(state, 9, ["tag:x"], lambda _: True, NOW),
        lambda: move_node(state, 9, 1, NOW), lambda: approve_routes(state, 9, [], NOW),
    ]  # fmt: skip
    for command in everyone:
        with pytest.raises(NotFoundError, match="node 9 does not exist"):
            command()


def test_commands_leave_the_state_as_it_was(state):
    before = (state.version, replace(state.get(Node, 1)))
    rename_node(state, 1, "desk", NOW)
    delete_node(state, 1, NOW)
    assert (state.version, state.get(Node, 1)) == before
