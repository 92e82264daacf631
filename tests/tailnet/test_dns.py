"""Who answers for a name, and how records reach clients that take addresses alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.dns import plain, route_of, target_addresses, told, with_ways_in
from hatsize.wire.tailcfg import DNSRecord, Resolver

NODES = {"web.net.example": ("100.64.0.1", "fd7a:115c:a1e0::1")}
RESOLVER = Resolver(Addr="10.0.0.53")


def addresses_of(name):
    return NODES.get(name, ())


def record(name, value, kind=""):
    return DNSRecord(Name=name, Type=kind, Value=value)


def test_addresses_are_told_as_they_are():
    records = (record("a.example", "192.0.2.1"), record("a.example", "2001:db8::1"))
    assert told(records, addresses_of) == records


def test_an_alias_is_told_as_the_addresses_of_the_node_it_points_to():
    found = told([record("www.example", "Web.net.example.", "CNAME")], addresses_of)
    assert [(each.Name, each.Type, each.Value) for each in found] == [
        ("www.example", "", "100.64.0.1"),
        ("www.example", "", "fd7a:115c:a1e0::1"),
    ]


def test_aliases_are_followed_through_other_records():
    records = [
        record("a.example", "b.example", "CNAME"),
        record("b.example", "c.example", "CNAME"),
        record("c.example", "192.0.2.3"),
    ]
    assert [each.Value for each in told(records, addresses_of)] == ["192.0.2.3"] * 3


def test_aliases_in_a_circle_have_no_address():
    records = [record("a.example", "b.example", "CNAME"), record("b.example", "a.example", "CNAME")]
    assert told(records, addresses_of) == ()


def test_what_clients_do_not_answer_is_not_told_them():
    records = [
        record("*.example", "192.0.2.1"),
        record("example", "hello", "TXT"),
        record("_sip._tcp.example", "1 1 5060 sip.example", "SRV"),
        record("x.example", "elsewhere.example.org", "CNAME"),
    ]
    assert told(records, addresses_of) == ()


def test_a_name_has_the_addresses_of_its_records_before_those_of_a_node():
    records = [record("web.net.example", "192.0.2.9")]
    assert target_addresses(records, addresses_of, "web.net.example.") == ["192.0.2.9"]


def test_a_name_that_no_route_leads_to_gets_one():
    routes = {"net.example.": ()}
    found = with_ways_in([record("wiki.corp.example", "192.0.2.1")], routes, (), ())
    assert found == {"net.example.": (), "wiki.corp.example.": ()}


def test_what_lies_below_such_a_name_is_asked_of_the_resolvers_there_are():
    found = with_ways_in([record("wiki.corp.example", "192.0.2.1")], {}, (), [RESOLVER])
    assert found == {"wiki.corp.example.": (RESOLVER,)}


def test_a_name_that_a_route_leads_to_needs_none_of_its_own():
    routes = {"corp.example": (RESOLVER,), "net.example.": ()}
    records = [record("wiki.CORP.example.", "192.0.2.1"), record("x.net.example", "192.0.2.1")]
    assert with_ways_in(records, routes, (), ()) == routes


def test_resolvers_for_everything_lead_everywhere():
    assert with_ways_in([record("wiki.corp.example", "192.0.2.1")], {}, [RESOLVER], ()) == {}


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.b.example", "b.example."),
        ("b.example", "b.example."),
        ("ab.example", "example"),
        ("example.org", None),
    ],
)
def test_the_longest_suffix_leads(name, suffix):
    assert route_of(name, ["example", "b.example."]) == suffix


NAMES = st.sampled_from(["a.example", "b.example", "c.example", "web.net.example"])


@given(st.lists(st.builds(record, NAMES, NAMES | st.just("192.0.2.1"), st.sampled_from(["", "CNAME", "TXT"]))))
def test_whatever_the_records_clients_are_told_addresses_of_names_that_have_records(records):
    names = {plain(each.Name) for each in records}
    for each in told(records, addresses_of):
        assert each.Name in names
        assert each.Type == ""
