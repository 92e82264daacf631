"""A node's addresses: given anew by the prefixes in force, or chosen by hand."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from hatsize.tailnet.addresses import is_reserved
from hatsize.tailnet.commands.addresses import readdress_node, set_addresses
from hatsize.tailnet.errors import AlreadyExistsError, InvalidError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
V6 = "fd7a:115c:a1e0::1"


@pytest.fixture
def state() -> State:
    """A laptop (1) and a server (2), each with an IPv4 address."""
    state = State(1)
    for number, name in enumerate(("laptop", "server"), start=1):
        node = Node(
            id=number, stable_id=f"n{number}", machine_key=machine_key(bytes([number] * 32)),
            node_key=node_key(bytes([number] * 32)), disco_key=ZERO_DISCO_KEY, given_name=name,
            ipv4=f"100.64.0.{number}", hostinfo=Hostinfo(), created=NOW,
        )  # fmt: skip
        state.apply(Change(tailnet=1, kind="node.registered", puts=(node,), at=NOW))
    return state


def near(_: State, node: Node) -> tuple[str | None, str | None]:
    """Addresses of 100.64.0.0/16 are kept, others replaced; everybody has an IPv6 address."""
    fits = node.ipv4 and node.ipv4.startswith("100.64.")
    return (node.ipv4 if fits else "100.64.99.99"), node.ipv6 or V6


def test_a_node_gets_the_addresses_it_should_have_once(state):
    state.apply(readdress_node(state, 1, near, NOW))
    assert state.get(Node, 1).addresses == ("100.64.0.1", V6)
    assert readdress_node(state, 1, near, NOW) is None


def test_an_address_of_choice_is_taken_and_the_other_family_stays(state):
    state.apply(set_addresses(state, 1, ["100.64.7.7"], near, NOW))
    assert state.get(Node, 1).addresses == ("100.64.7.7",)
    state.apply(set_addresses(state, 1, ["fd7a:115c:a1e0:0::7"], near, NOW))
    assert state.get(Node, 1).addresses == ("100.64.7.7", "fd7a:115c:a1e0::7")
    assert state.index.node_by_address["100.64.7.7"] == 1
    assert "100.64.0.1" not in state.index.node_by_address


def test_both_families_are_chosen_at_once(state):
    state.apply(set_addresses(state, 1, ["fd7a:115c:a1e0::8", "100.64.8.8"], near, NOW))
    assert state.get(Node, 1).addresses == ("100.64.8.8", "fd7a:115c:a1e0::8")


def test_the_address_it_has_changes_nothing(state):
    assert set_addresses(state, 1, ["100.64.0.1"], near, NOW) is None


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ([], InvalidError, "give one address"),
        (["100.64.1.1", "100.64.1.2"], InvalidError, "one of each family"),
        (["desk"], InvalidError, "not an IP address"),
        (["100.100.100.100"], InvalidError, "clients use themselves"),
        (["fd7a:115c:a1e0::53"], InvalidError, "clients use themselves"),
        (["100.65.1.1"], InvalidError, "in none of the prefixes that addresses of laptop come from"),
        (["100.64.0.2"], AlreadyExistsError, "node 2's already"),
    ],
)
def test_what_it_cannot_have_is_refused_with_the_reason(state, wanted, error, words):
    with pytest.raises(error, match=words):
        set_addresses(state, 1, wanted, near, NOW)


@pytest.mark.parametrize("text", ["100.100.0.9", "100.100.100.100", "100.115.92.1", "fd7a:115c:a1e0:b1a::1"])
def test_addresses_that_clients_use_are_reserved(text):
    assert is_reserved(ip_address(text))


@pytest.mark.parametrize("text", ["100.64.0.1", "fd7a:115c:a1e0::1", "fd7a:115c:a1e0::54"])
def test_others_are_free(text):
    assert not is_reserved(ip_address(text))
