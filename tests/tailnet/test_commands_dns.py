"""Commands on DNS settings and records."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.commands.dns import DnsUpdate, change_dns, remove_split, set_nameservers, set_split
from hatsize.tailnet.commands.dns_forms import (
    VALUES,
    checked_domain,
    checked_record,
    checked_resolver,
    resolver_warning,
)
from hatsize.tailnet.commands.dns_records import add_record, dns_records, remove_record
from hatsize.tailnet.dns import DnsChoice, in_force
from hatsize.tailnet.errors import AlreadyExistsError, InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import DnsSettings
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CONFIGURED = DnsChoice(
    nameservers=("9.9.9.9",), split={"corp.example": ("10.0.0.53",)}, search_domains=("corp.example",)
)


@pytest.fixture
def state():
    return State(1)


def change(state, **update):
    changed = change_dns(state, DnsUpdate(**update), CONFIGURED, NOW)
    if changed:
        state.apply(changed)
    return changed


def test_what_is_set_goes_before_the_configuration_and_the_rest_stays(state):
    assert change(state, nameservers=["1.1.1.1", "1.1.1.1"], magic_dns=False).kind == "dns.updated"
    found = in_force(state, CONFIGURED)
    assert (found.nameservers, found.magic_dns) == (("1.1.1.1",), False)
    assert (found.split, found.search_domains) == (CONFIGURED.split, CONFIGURED.search_domains)


def test_none_takes_back_what_was_set(state):
    change(state, nameservers=["1.1.1.1"], search_domains=[])
    change(state, nameservers=None)
    assert in_force(state, CONFIGURED) == DnsChoice(nameservers=("9.9.9.9",), split=CONFIGURED.split, search_domains=())


def test_an_override_waits_where_the_last_resolver_goes(state):
    change(state, override_local=True)
    state.apply(set_nameservers(state, [], NOW))
    assert change(state, search_domains=["lab.example"]), "and nothing else is kept from being changed"
    state.apply(set_nameservers(state, ["1.1.1.1"], NOW))
    found = in_force(state, CONFIGURED)
    assert (found.override_local, found.nameservers) == (True, ("1.1.1.1",))


def test_there_is_one_row_of_settings(state):
    change(state, magic_dns=False)
    change(state, magic_dns=True)
    assert list(state.table(DnsSettings)) == [1]


def test_what_changes_nothing_is_no_change(state):
    change(state, search_domains=["a.example"])
    assert change(state, search_domains=["A.example."]) is None


def test_an_override_needs_resolvers(state):
    change(state, override_local=True)
    with pytest.raises(RefusedError, match="set nameservers first"):
        change(state, nameservers=[])
    change(state, nameservers=[], override_local=False)
    with pytest.raises(RefusedError, match="set nameservers first"):
        change(state, override_local=True)


def test_the_resolvers_of_a_domain_are_set_beside_the_others(state):
    state.apply(set_split(state, "Lab.example.", ["10.1.0.53"], CONFIGURED, NOW))
    assert in_force(state, CONFIGURED).split == {"corp.example": ("10.0.0.53",), "lab.example": ("10.1.0.53",)}
    state.apply(remove_split(state, "corp.example", CONFIGURED, NOW))
    assert list(in_force(state, CONFIGURED).split) == ["lab.example"]


def test_a_domain_without_resolvers_cannot_lose_them(state):
    with pytest.raises(NotFoundError, match="no resolvers of its own"):
        remove_split(state, "other.example", CONFIGURED, NOW)


@pytest.mark.parametrize(
    "resolver",
    [
        "9.9.9.9",
        "2620:fe::fe",
        "10.0.0.53:5353",
        "[fd00::53]:53",
        "https://dns.nextdns.io/abc",
        "https://x.example/q",
        "10.0.0.53#with-exit-node",
        "[fd00::53]:53#with-exit-node",
        "https://dns.nextdns.io/abc#with-exit-node",
    ],
)
def test_addresses_and_urls_are_resolvers(resolver):
    assert checked_resolver(f" {resolver} ") == resolver


@pytest.mark.parametrize(
    "resolver",
    ["", "dns.example", "9.9.9.9:0", "9.9.9.9:99999", "9.9.9.9:x", "http://9.9.9.9", "https://", "tls://9.9.9.9",
     "https://a b.example/", "fe80::1%eth0", "0.0.0.0", "ff02::fb", "100.100.100.100", "[100.64.0.1", "1:2",
     "100.100.100.100#with-exit-node", "9.9.9.9#always", "#with-exit-node", "9.9.9.9#with-exit-node#with-exit-node",
     "https://dns.nextdns.io/abc#always", "https://["],
)  # fmt: skip
def test_what_clients_cannot_ask_is_refused_by_its_name(resolver):
    with pytest.raises(InvalidError, match="give"):
        checked_resolver(resolver)


def test_services_that_clients_do_not_know_are_warned_of():
    assert resolver_warning("9.9.9.9") is resolver_warning("https://dns.quad9.net/dns-query") is None
    assert "doh.example" in resolver_warning("https://doh.example/dns-query")


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("a", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CNAME", "Web.Example.", "web.example"),
        ("TXT", "v=spf1 -all", "v=spf1 -all"),
        ("SRV", "10  05 5060 SIP.example.", "10 5 5060 sip.example"),
        ("SRV", "0 0 0 .", "0 0 0 ."),
    ],
)
def test_records_of_all_types_are_kept_in_one_form(kind, value, kept):
    assert checked_record("*.X.Example.", kind, value) == ("*.x.example", kind.upper(), kept)


@pytest.mark.parametrize(
    ("name", "kind", "value", "told"),
    [
        ("x.example", "MX", "10 mail", "type of records"),
        ("x.example", "A", "2001:db8::1", "IPv4"),
        ("x.example", "AAAA", "192.0.2.1", "IPv6"),
        ("x.example", "CNAME", "x.example", "alias of itself"),
        ("x.example", "CNAME", "no good", "domain name"),
        ("x.example", "TXT", "", "printable"),
        ("x.example", "TXT", "x" * 4001, "printable"),
        ("x.example", "TXT", "a\nb", "printable"),
        ("x.example", "SRV", "10 5 sip.example", "priority"),
        ("x.example", "SRV", "10 5 70000 sip.example", "priority"),
        ("printer", "A", "192.0.2.1", "single label"),
        ("a..example", "A", "192.0.2.1", "domain name"),
        ("a.*.example", "A", "192.0.2.1", "domain name"),
        ("", "A", "192.0.2.1", "domain name"),
    ],
)
def test_a_record_that_is_none_is_told_why(name, kind, value, told):
    with pytest.raises(InvalidError, match=told):
        checked_record(name, kind, value)


def test_records_come_and_go(state):
    state.apply(add_record(state, "db.example", "A", "192.0.2.1", NOW, ttl=60))
    state.apply(add_record(state, "db.example", "TXT", "hello", NOW))
    assert [(record.id, record.type, record.ttl) for record in dns_records(state)] == [(1, "A", 60), (2, "TXT", 0)]
    state.apply(remove_record(state, 1, NOW))
    assert [record.value for record in dns_records(state)] == ["hello"]
    with pytest.raises(NotFoundError, match="dns records list"):
        remove_record(state, 1, NOW)


def test_no_record_is_there_twice(state):
    state.apply(add_record(state, "db.example", "A", "192.0.2.1", NOW))
    with pytest.raises(AlreadyExistsError):
        add_record(state, "DB.example", "a", "192.0.2.1", NOW)


@pytest.mark.parametrize(("first", "second"), [("A", "CNAME"), ("CNAME", "A"), ("CNAME", "CNAME")])
def test_an_alias_stands_alone(state, first, second):
    values = {"A": ["192.0.2.1"] * 2, "CNAME": ["a.example", "b.example"]}
    state.apply(add_record(state, "x.example", first, values[first][0], NOW))
    with pytest.raises(RefusedError, match="stands alone"):
        add_record(state, "x.example", second, values[second][1], NOW)


def test_a_time_to_live_has_bounds(state):
    with pytest.raises(InvalidError, match="time to live"):
        add_record(state, "x.example", "A", "192.0.2.1", NOW, ttl=2**31)


@given(st.text(), st.sampled_from(sorted(VALUES)) | st.text(max_size=4), st.text())
def test_any_text_is_a_record_or_refused(name, kind, value):
    try:
        checked = checked_record(name, kind, value)
    except InvalidError:
        return
    assert checked_record(*checked) == checked


@given(st.text() | st.from_regex(r"\A[0-9a-f.:\[\]%]{0,20}\Z"))
def test_any_text_is_a_resolver_or_refused(text):
    try:
        resolver = checked_resolver(text)
    except InvalidError:
        return
    assert checked_resolver(resolver) == resolver


@given(st.text())
def test_any_text_is_a_domain_or_refused(text):
    try:
        domain = checked_domain(text)
    except InvalidError:
        return
    assert checked_domain(domain) == domain
