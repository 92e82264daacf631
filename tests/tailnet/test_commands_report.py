"""What nodes tell of themselves in map requests, and what of it is news."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.report import reported
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, disco_key, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo, MapRequest, NetInfo

NOW = datetime(2026, 3, 4, tzinfo=UTC)
KNOWN = Hostinfo(Hostname="desk", OS="linux", NetInfo=NetInfo(PreferredDERP=3))


@pytest.fixture
def state():
    state = State(1)
    for number, name in enumerate(("desk", "table"), start=1):
        node = Node(
            id=number, stable_id=f"n{number}", machine_key=machine_key(bytes([number] * 32)), given_name=name,
            node_key=node_key(bytes([number] * 32)), disco_key=ZERO_DISCO_KEY, hostinfo=KNOWN, cap_version=113,
            endpoints=("192.0.2.1:1",), created=NOW,
        )  # fmt: skip
        state.apply(Change(tailnet=1, kind="node.registered", puts=(node,), at=NOW))
    return state


def report(state, *, approved=(), **fields):
    request = MapRequest(**{"Version": 113, "Hostinfo": KNOWN, "Endpoints": ("192.0.2.1:1",), **fields})
    return reported(state, state.get(Node, 1), request, lambda _state, _node: approved)


def test_what_is_known_already_is_no_report(state):
    assert report(state) is None
    assert report(state, Hostinfo=None) is None
    assert report(state, Stream=True, Hostinfo=Hostinfo(Hostname="stale"), Endpoints=()) is None


def test_endpoints_disco_key_and_version_are_taken_and_may_be_stored_later(state):
    key = disco_key(bytes([5] * 32))
    found = report(state, Endpoints=("192.0.2.2:2",), EndpointTypes=(2,), DiscoKey=key, Version=120)
    assert (found.node.endpoints, found.node.endpoint_types) == (("192.0.2.2:2",), (2,))
    assert (found.node.disco_key, found.node.cap_version) == (key, 120)
    assert not found.durable


def test_a_stream_tells_only_its_disco_key(state):
    key = disco_key(bytes([5] * 32))
    found = report(state, Stream=True, DiscoKey=key, Endpoints=(), Hostinfo=Hostinfo(Hostname="stale"))
    assert found.node == replace(state.get(Node, 1), disco_key=key)


def test_the_stream_of_an_old_client_tells_everything(state):
    assert report(state, Stream=True, Version=67, Endpoints=()).node.endpoints == ()


def test_a_zero_disco_key_says_nothing(state):
    state.apply(_changed(state, disco_key=disco_key(bytes([5] * 32))))
    assert report(state, DiscoKey=ZERO_DISCO_KEY) is None


def _changed(state, **fields):
    return Change(tailnet=1, kind="node.updated", puts=(replace(state.get(Node, 1), **fields),), at=NOW)


def test_the_home_relay_stays_where_a_report_does_not_speak_of_it(state):
    found = report(state, Hostinfo=Hostinfo(Hostname="desk", OS="windows"))
    assert (found.node.hostinfo.OS, found.node.home_derp) == ("windows", 3)


@pytest.mark.parametrize(("hostname", "name"), [("Chair", "chair"), ("table", "table-1")])
def test_a_new_host_name_gives_a_new_name_which_is_stored_at_once(state, hostname, name):
    found = report(state, Hostinfo=replace(KNOWN, Hostname=hostname))
    assert (found.node.given_name, found.durable) == (name, True)


def test_a_numbered_name_follows_the_host_name_too(state):
    state.apply(_changed(state, given_name="desk-2"))
    assert report(state, Hostinfo=replace(KNOWN, Hostname="chair")).node.given_name == "chair"


def test_a_chosen_name_stays(state):
    state.apply(_changed(state, given_name="chosen"))
    found = report(state, Hostinfo=replace(KNOWN, Hostname="chair"))
    assert (found.node.given_name, found.durable) == ("chosen", False)


def test_new_routes_that_the_policy_approves_are_approved_at_once(state):
    state.apply(_changed(state, approved_routes=("10.9.0.0/16",)))
    found = report(state, Hostinfo=replace(KNOWN, RoutableIPs=("10.1.0.0/16",)), approved=("10.1.0.0/16",))
    assert (found.node.approved_routes, found.durable) == (("10.9.0.0/16", "10.1.0.0/16"), True)


def test_routes_that_were_told_before_are_not_approved_again(state):
    state.apply(_changed(state, hostinfo=replace(KNOWN, RoutableIPs=("10.1.0.0/16",))))
    assert report(state, Hostinfo=replace(KNOWN, RoutableIPs=("10.1.0.0/16",)), approved=("10.1.0.0/16",)) is None
