"""Becoming a node: which node a client becomes, with what name, tags, routes and expiry."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hatsize.hooks.auth import Allow
from hatsize.tailnet.commands import register
from hatsize.tailnet.commands.register import TagRefusedError, Tools, admit, complete_login, start_login
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import Node, PendingLogin
from hatsize.tailnet.state import State
from hatsize.wire.keys import machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo, NetInfo, RegisterRequest

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MACHINE = machine_key(bytes(31) + b"\x07")


@pytest.fixture
def state():
    state = State(1)
    for name in ("alice", "bob"):
        state.apply(create_user(state, name, NOW))
    return state


def tools(*, may_tag=(), approved=()):
    return Tools(
        now=NOW,
        mint_id=lambda: "nMinted",
        addresses=lambda state, node: (node.ipv4 or f"100.64.0.{node.id}", None),
        may_tag=lambda state, user, tag: tag in may_tag,
        auto_approved=lambda state, node: approved,
    )


def request(key=1, hostname="desk", **fields):
    info = {name: fields.pop(name) for name in ("RequestTags", "RoutableIPs", "NetInfo") if name in fields}
    return RegisterRequest(
        Version=113, NodeKey=node_key(bytes([key] * 32)), Hostinfo=Hostinfo(Hostname=hostname, **info), **fields
    )


def allow(user_id=1, **fields):
    return Allow(**{"user_id": user_id, "method": "authkey", **fields})


def admitted(state, asked, terms=None, *, machine=MACHINE, with_tools=None) -> Node:
    change = admit(state, machine, asked, terms or allow(), with_tools or tools())
    state.apply(change)
    return next(record for record in change.puts if isinstance(record, Node))


def test_a_new_client_becomes_a_new_node(state):
    change = admit(state, MACHINE, request(), allow(), tools())
    (node,) = change.puts
    assert (change.kind, node.id, node.stable_id, node.given_name) == ("node.registered", 1, "nMinted", "desk")
    assert (node.machine_key, node.cap_version, node.created) == (MACHINE, 113, NOW)


def test_names_are_made_unique(state):
    first = admitted(state, request(1))
    second = admitted(state, request(2), machine=machine_key(bytes([9] * 32)))
    assert (first.given_name, second.given_name) == ("desk", "desk-1")


def test_a_machine_of_the_same_owner_goes_on_as_the_node_it_was(state):
    before = admitted(state, request(1))
    change = admit(state, MACHINE, request(2), allow(), tools())
    (after,) = change.puts
    assert change.kind == "node.reauthenticated"
    assert (after.id, after.stable_id, after.ipv4, after.given_name) == (1, "nMinted", before.ipv4, "desk")


def test_a_machine_of_another_owner_is_another_node(state):
    admitted(state, request(1))
    assert admitted(state, request(2), allow(2)).id == 2


def test_a_node_key_that_goes_over_to_another_owner_takes_its_node_along(state):
    admitted(state, request(1))
    assert admitted(state, request(1), allow(2)).user_id == 2
    assert state.index.nodes_by_user == {2: {1}}


def test_a_users_node_that_becomes_tagged_stays_the_node_it_was(state):
    admitted(state, request(1), allow(key_expiry=NOW + timedelta(days=1)))
    node = admitted(state, request(2), allow(tags=("tag:server",), key_expiry=NOW + timedelta(days=1)))
    assert (node.id, node.tags, node.key_expiry) == (1, ("tag:server",), None)


def test_another_host_name_at_a_new_login_gives_another_name_unless_somebody_chose_one(state):
    admitted(state, request(1))
    node = admitted(state, request(2, "table"))
    assert node.given_name == "table"
    state.apply(_changed(state, replace(node, given_name="chosen")))
    assert admitted(state, request(3, "chair")).given_name == "chosen"


def _changed(state, node):
    from hatsize.tailnet.model import Change

    return Change(tailnet=1, kind="node.updated", puts=(node,), at=NOW)


def test_a_new_login_does_not_forget_how_the_node_is_reached(state):
    admitted(state, request(1, NetInfo=NetInfo(PreferredDERP=7)))
    assert admitted(state, request(2)).home_derp == 7


def test_what_an_administrator_approved_stays_approved(state):
    node = admitted(state, request(1))
    state.apply(_changed(state, replace(node, approved_routes=("10.0.0.0/8",))))
    again = admitted(state, request(2), allow(authorized=False), with_tools=tools(approved=("10.1.0.0/16",)))
    assert again.approved_routes == ("10.0.0.0/8", "10.1.0.0/16")
    assert again.authorized


def test_requested_tags_must_be_ones_the_owner_may_give(state):
    wanted = request(RequestTags=("tag:web", "tag:db"))
    with pytest.raises(TagRefusedError, match="tag:db"):
        admit(state, MACHINE, wanted, allow(), tools(may_tag=("tag:web",)))
    assert admitted(state, wanted, with_tools=tools(may_tag=("tag:web", "tag:db"))).tags == ("tag:web", "tag:db")


def test_a_tagged_key_gives_its_own_tags_and_no_others(state):
    terms = allow(tags=("tag:web", "tag:db"))
    assert admitted(state, request(RequestTags=("tag:db",)), terms).tags == ("tag:web", "tag:db")
    with pytest.raises(TagRefusedError, match="tag:other"):
        admit(state, MACHINE, request(RequestTags=("tag:other",)), terms, tools())


def test_logging_out_expires_a_node_and_removes_an_ephemeral_one(state):
    node = admitted(state, request())
    assert register.log_out(state, node, NOW).puts == (replace(node, key_expiry=NOW),)
    assert register.log_out(state, replace(node, ephemeral=True), NOW).deletes == (("node", 1),)


def test_a_life_can_be_shortened_only(state):
    node = admitted(state, request(), allow(key_expiry=NOW + timedelta(hours=5)))
    assert register.shorten(state, node, NOW + timedelta(hours=6), NOW) is None
    assert register.shorten(state, node, NOW + timedelta(hours=4), NOW).puts[0].key_expiry == NOW + timedelta(hours=4)
    assert register.shorten(state, replace(node, tags=("tag:a",)), NOW, NOW) is None


def test_a_pending_login_keeps_no_secret_and_removes_those_whose_time_is_over(state):
    asked = request()
    state.apply(start_login(state, MACHINE, asked, "old", NOW - timedelta(hours=1)))
    change = start_login(state, MACHINE, asked, "new", NOW)
    state.apply(change)
    assert [login.auth_id for login in state.all(PendingLogin)] == ["new"]
    assert register.login_of(state, MACHINE, asked.NodeKey, NOW).auth_id == "new"
    assert register.login_of(state, MACHINE, asked.NodeKey, NOW + timedelta(minutes=15)) is None
    assert b"AuthKey" not in state.get(PendingLogin, 2).request


def test_an_approved_login_becomes_a_node_once(state):
    state.apply(start_login(state, MACHINE, request(), "waits", NOW))
    state.apply(complete_login(state, "waits", allow(method="cli"), tools()))
    assert state.get(Node, 1).register_method == "cli"
    assert state.get(PendingLogin, 1).node_id == 1
    for auth_id in ("waits", "never"):
        with pytest.raises(NotFoundError, match="start it again on the client"):
            complete_login(state, auth_id, allow(), tools())


def test_a_key_of_another_machine_is_told_apart(state):
    admitted(state, request())
    other = machine_key(bytes([8] * 32))
    assert register.known_node(state, MACHINE, request()).id == 1
    assert register.known_node(state, other, request()) is None
    assert register.foreign_key(state, other, request())
    assert not register.foreign_key(state, MACHINE, request())
