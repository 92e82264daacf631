"""MagicDNS: which names and resolvers a node is told."""

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.builtin.magicdns import DnsDefaults, MagicDNS, reverse_zones
from hatsize.tailnet.model import Change, DnsRecord, DnsSettings
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import DNSConfig, DNSRecord, Resolver

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def configured(*records, before=None, **defaults):
    state = State(1)
    state.apply(Change(tailnet=1, kind="dns.updated", puts=records, at=NOW))
    provider = MagicDNS(DnsDefaults(base_domain="net.example", **defaults))
    return provider.configure(state, a_node(), before or DNSConfig())


def test_clients_answer_names_of_the_tailnet_and_its_reverse_zones_themselves():
    config = configured(prefixes=[ip_network("10.1.0.0/16"), ip_network("fd7a:115c:a1e0::/48")])
    assert config.Proxied
    assert list(config.Domains) == ["net.example"]
    assert dict(config.Routes) == {
        "net.example.": (),
        "1.10.in-addr.arpa.": (),
        "0.e.1.a.c.5.1.1.a.7.d.f.ip6.arpa.": (),
    }


def test_without_magic_dns_nothing_is_answered_by_clients():
    config = configured(magic_dns=False, prefixes=[ip_network("10.0.0.0/8")])
    assert (config.Proxied, list(config.Domains), dict(config.Routes)) == (False, [], {})


@pytest.mark.parametrize("override", [True, False])
def test_resolvers_replace_the_machines_own_or_stand_in_for_them(override):
    config = configured(nameservers=["9.9.9.9"], override_local=override)
    told = [Resolver(Addr="9.9.9.9")]
    assert (list(config.Resolvers), list(config.FallbackResolvers)) == ((told, []) if override else ([], told))


def test_single_domains_have_their_own_resolvers():
    config = configured(split={"corp.example": ["10.0.0.53"]}, search_domains=["corp.example"])
    assert list(config.Routes["corp.example"]) == [Resolver(Addr="10.0.0.53")]
    assert list(config.Domains) == ["net.example", "corp.example"]


def test_a_resolver_may_be_asked_through_an_exit_node_too():
    config = configured(nameservers=["9.9.9.9#with-exit-node"], split={"corp.example": ["10.0.0.53#with-exit-node"]})
    assert list(config.Resolvers) == [Resolver(Addr="9.9.9.9", UseWithExitNode=True)]
    assert list(config.Routes["corp.example"]) == [Resolver(Addr="10.0.0.53", UseWithExitNode=True)]


def test_resolvers_of_the_tailnets_own_domain_are_asked_for_what_clients_do_not_know_there():
    config = configured(split={"net.example": ["10.0.0.53"]})
    assert dict(config.Routes) == {"net.example": (Resolver(Addr="10.0.0.53"),)}


def test_a_record_outside_the_tailnets_domain_has_a_way_to_the_client():
    config = configured(records=[DNSRecord(Name="wiki.corp.example", Value="192.0.2.1")], nameservers=["9.9.9.9"])
    assert "wiki.corp.example." not in config.Routes
    config = configured(
        records=[DNSRecord(Name="wiki.corp.example", Value="192.0.2.1")],
        nameservers=["9.9.9.9"],
        override_local=False,
    )
    assert list(config.Routes["wiki.corp.example."] or ()) == [Resolver(Addr="9.9.9.9")]


def test_an_alias_of_a_node_is_told_as_its_addresses():
    node = a_node()
    state = State(1)
    alias = DnsRecord(id=1, name="www.example", type="CNAME", value=f"{node.given_name}.net.example")
    state.apply(Change(tailnet=1, kind="dns.updated", puts=(node, alias), at=NOW))
    provider = MagicDNS(DnsDefaults(base_domain="net.example"))
    found = provider.configure(state, node, DNSConfig())
    assert [(each.Name, each.Value) for each in found.ExtraRecords] == [("www.example", a) for a in node.addresses]


def test_what_was_set_at_run_time_goes_before_the_configuration():
    chosen = DnsSettings(id=1, magic_dns=False, nameservers=("1.1.1.1",), search_domains=("x.example",), split={})
    config = configured(chosen, nameservers=["9.9.9.9"], split={"corp.example": ["10.0.0.53"]})
    assert list(config.Resolvers) == [Resolver(Addr="1.1.1.1")]
    assert (list(config.Domains), dict(config.Routes), config.Proxied) == (["x.example"], {}, False)


def test_records_come_from_the_configuration_and_from_the_state():
    stored = DnsRecord(id=1, name="db.net.example", type="A", value="100.64.0.9")
    config = configured(stored, records=[DNSRecord(Name="a.example", Value="192.0.2.1")])
    assert [(record.Name, record.Type, record.Value) for record in config.ExtraRecords] == [
        ("a.example", "", "192.0.2.1"),
        ("db.net.example", "", "100.64.0.9"),
    ]


def test_what_another_provider_said_before_is_kept():
    before = DNSConfig(Domains=("other.example",), Routes={"other.example.": (Resolver(Addr="192.0.2.53"),)})
    config = configured(before=before)
    assert list(config.Domains) == ["net.example", "other.example"]
    assert "other.example." in config.Routes


@given(st.ip_addresses(v=4), st.integers(8, 32))
def test_reverse_zones_of_ipv4_hold_the_prefix(address, length):
    prefix = ip_network((address, length), strict=False)
    for host in (prefix[0], prefix[-1]):
        assert any((host.reverse_pointer + ".").endswith("." + zone) or host.reverse_pointer + "." == zone
                   for zone in reverse_zones([prefix]))  # fmt: skip


@given(st.ip_addresses(v=6), st.integers(32, 64))
def test_reverse_zones_of_ipv6_hold_the_prefix_and_nothing_else(address, length):
    prefix = ip_network((address, length), strict=False)
    zones = reverse_zones([prefix])
    for host in (prefix[0], prefix[-1]):
        assert any((host.reverse_pointer + ".").endswith("." + zone) for zone in zones)
    for outside in (int(prefix[0]) - 1, int(prefix[-1]) + 1):
        if 0 <= outside < 2**128:
            pointer = ip_address(outside.to_bytes(16, "big")).reverse_pointer + "."
            assert not any(pointer.endswith("." + zone) for zone in zones)
