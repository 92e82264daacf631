"""Resolvers of single nodes, by attribute."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.node_dns import check_attribute, for_node
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import DNSConfig, Hostinfo, Resolver

NODE = replace(a_node(), hostinfo=Hostinfo(Hostname="Ann's laptop", OS="linux"), ipv4="100.64.0.7", ipv6=None)
NEXTDNS = "https://dns.nextdns.io/abc123"
DEVICE = "device_name=Ann%27s+laptop&device_model=linux&device_ip=100.64.0.7"


def config(*resolvers, fallback=(), **routes):
    return DNSConfig(
        Resolvers=tuple(Resolver(Addr=each) for each in resolvers),
        FallbackResolvers=tuple(Resolver(Addr=each) for each in fallback),
        Routes={name: tuple(Resolver(Addr=each) for each in found) for name, found in routes.items()},
    )


def test_a_node_without_attributes_is_told_what_all_are():
    told = config("9.9.9.9", example=["10.0.0.53"])
    assert for_node(told, NODE, ["https"]) is told


def test_a_nodes_own_resolvers_stand_in_place_of_the_tailnets():
    told = config("9.9.9.9", fallback=["1.1.1.1"], example=["10.0.0.53"])
    found = for_node(told, NODE, ["resolver:10.9.0.53", "resolver:[fd00::53]:5353"])
    assert found == config("10.9.0.53", "[fd00::53]:5353", example=["10.0.0.53"])


def test_a_nodes_own_resolver_may_be_asked_through_an_exit_node_too():
    found = for_node(config("9.9.9.9"), NODE, ["resolver:10.9.0.53#with-exit-node"])
    assert found.Resolvers == (Resolver(Addr="10.9.0.53", UseWithExitNode=True),)


def test_nextdns_is_told_of_the_machine_through_an_exit_node_too():
    told = DNSConfig(Resolvers=(Resolver(Addr=NEXTDNS, UseWithExitNode=True),))
    assert for_node(told, NODE, ()).Resolvers == (Resolver(Addr=f"{NEXTDNS}?{DEVICE}", UseWithExitNode=True),)


def test_a_nodes_own_resolvers_of_a_domain_stand_in_place_of_the_tailnets():
    told = config("9.9.9.9", **{"corp.example.": ["10.0.0.53"], "lab.example": ["10.1.0.53"]})
    found = for_node(told, NODE, ["resolver:Corp.example=10.9.0.53"])
    assert found == config("9.9.9.9", **{"lab.example": ["10.1.0.53"], "corp.example": ["10.9.0.53"]})


def test_nextdns_is_told_which_machine_asks():
    told = config(NEXTDNS, "9.9.9.9", fallback=[NEXTDNS], example=[NEXTDNS])
    personal = f"{NEXTDNS}?{DEVICE}"
    assert for_node(told, NODE, []) == config(personal, "9.9.9.9", fallback=[personal], example=[personal])


def test_nextdns_is_not_told_where_that_is_not_wanted():
    assert for_node(config(NEXTDNS), NODE, ["nextdns:no-device-info"]) == config(NEXTDNS)


def test_a_node_has_a_profile_of_its_own():
    found = for_node(config(f"{NEXTDNS}/old?x=1"), NODE, ["nextdns:kids", "nextdns:no-device-info"])
    assert found == config("https://dns.nextdns.io/kids")


def test_other_parameters_stay():
    assert for_node(config(f"{NEXTDNS}?x=1"), NODE, []) == config(f"{NEXTDNS}?x=1&{DEVICE}")


def test_a_name_like_that_of_nextdns_is_left_alone():
    told = config("https://dns.nextdns.io.evil.example/abc")
    assert for_node(told, NODE, ["nextdns:kids"]) is told


@pytest.mark.parametrize(
    "attribute",
    ["resolver:", "resolver:dns.example", "resolver:=9.9.9.9", "resolver:a b=9.9.9.9", "nextdns:", "nextdns:a/../b"],
)
def test_an_attribute_that_chooses_nothing_is_refused(attribute):
    with pytest.raises(InvalidError):
        check_attribute(attribute)


ANY = st.text() | st.text().map("resolver:".__add__) | st.text().map("nextdns:".__add__)


@given(st.lists(ANY))
def test_whatever_the_attributes_there_is_a_configuration(attributes):
    for_node(config(NEXTDNS), NODE, attributes)


@given(ANY)
def test_any_text_is_an_attribute_or_refused(attribute):
    with suppress(InvalidError):
        check_attribute(attribute)
