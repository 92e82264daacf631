"""The names of nodes and of their addresses, and who is told which."""

from types import SimpleNamespace

import pytest
from dns.name import Name
from dns.rcode import NXDOMAIN
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.model import Change, DnsRecord
from hatsize.tailnet.state import State
from hatsize_dns.asker import asker_at
from hatsize_dns.building import ZoneBuilder
from hatsize_dns.names import IN_ADDR, IP6
from hatsize_dns.settings import Settings
from hatsize_dns.tailnet_layers import AddressNames, Visibility

pytestmark = pytest.mark.anyio
POLICY = """{
  "tagOwners": {"tag:web": ["alice@"]},
  "acls": [{"action": "accept", "src": ["bob@"], "dst": ["bob@:*", "tag:web:80"]}],
}"""
DESK, PHONE, WEB, BOBS = (f"{name}.net.example.com" for name in ("desk", "phone", "web", "bobs"))


@pytest.fixture
async def nodes(tailnet, fake_client):
    """Nodes `desk` and `phone` of alice, `bobs` of bob, and a tagged one, `web`; by name."""
    bob = await tailnet.add_user("bob")
    keys = {
        "desk": await tailnet.auth_key(),
        "phone": await tailnet.auth_key(),
        "bobs": await tailnet.auth_key(bob),
        "web": await tailnet.auth_key(tags=("tag:web",)),
    }
    for name, key in keys.items():
        async with fake_client(name) as client:
            await client.register(key)
    await tailnet.save_policy(POLICY)
    return {name: tailnet.node(name) for name in keys}


@pytest.fixture
def ask(server, questions, challenges):
    """Asks the zones of some settings from an address."""

    def make(address="192.0.2.99", **given):
        settings = Settings(**{"zones": [{"name": "net.example.com", **given.pop("zone", {})}], **given})
        builder = ZoneBuilder(settings, server, challenges, lambda: None)
        return questions(*builder.zones(lambda: 1), asker=asker_at(server.state, address))

    return make


def seen(ask, *names):
    return [name for name in names if ask.values(name)]


async def test_a_node_has_both_its_addresses(ask, nodes):
    told = ask(zone={"nodes": "all"})
    assert told.values(DESK) == [nodes["desk"].ipv4]
    assert told.values("DESK.Net.Example.com", "AAAA") == [nodes["desk"].ipv6]
    assert told.rcode(DESK, "MX") == "NOERROR"


@pytest.mark.parametrize(
    ("shown", "asker", "expected"),
    [
        ("all", None, [DESK, PHONE, WEB, BOBS]),
        ("tagged", None, [WEB]),
        ("tagged", "desk", [DESK, WEB]),
        ("peers", None, []),
        ("peers", "bobs", [WEB, BOBS]),
        ("peers", "desk", [DESK]),
        ("own", None, []),
        ("own", "desk", [DESK, PHONE]),
        ("own", "web", [WEB]),
        ("none", "desk", []),
    ],
)
async def test_a_zone_shows_the_nodes_it_is_to_show(ask, nodes, shown, asker, expected):
    told = ask(nodes[asker].ipv4 if asker else "192.0.2.99", zone={"nodes": shown})
    assert seen(told, DESK, PHONE, WEB, BOBS) == expected


async def test_what_is_not_shown_is_as_if_it_were_not_there(ask, nodes):
    told = ask(zone={"nodes": "peers", "wildcards": True})
    for name in (DESK, f"x.{DESK}", "nobody.net.example.com"):
        answer = told(name)
        assert (answer.rcode, len(answer.answer)) == (NXDOMAIN, 0)


async def test_who_asks_is_known_by_either_address(ask, nodes):
    for address in (nodes["desk"].ipv4, nodes["desk"].ipv6, f"::ffff:{nodes['desk'].ipv4}"):
        assert ask(address, zone={"nodes": "own"}).values(PHONE)


@pytest.mark.parametrize(
    ("clients", "asker", "answered"),
    [
        (["tailnet"], "desk", True), (["tailnet"], None, False), (["alice@"], "desk", True),
        (["alice@"], "bobs", False), (["tag:web"], "web", True), (["tag:web"], "desk", False),
        (["group:ops@example.com"], "desk", False), (["192.0.2.0/24"], None, True), (["alice@"], "web", False),
    ],
)  # fmt: skip
async def test_a_view_is_for_whom_it_is_for(ask, nodes, clients, asker, answered):
    told = ask(nodes[asker].ipv4 if asker else "192.0.2.99", zone={"for": clients})
    assert told.rcode("net.example.com", "SOA") == ("NOERROR" if answered else "REFUSED")


async def test_wildcards_lead_to_the_node(ask, nodes):
    zone = {"nodes": "all", "wildcards": True}
    assert ask(zone=zone).values(f"a.b.{WEB}") == [nodes["web"].ipv4]
    assert ask(zone={**zone, "wildcards": False}).rcode(f"a.{WEB}") == "NXDOMAIN"
    assert ask(zone=zone).rcode("*.net.example.com") == "NXDOMAIN"


async def test_an_address_leads_to_the_name(ask, nodes):
    zones = [
        {"name": "net.example.com"},
        {"name": "100.64.0.0/10", "nodes": "all"},
        {"name": "fd7a:115c:a1e0::/48", "nodes": "all"},
    ]
    told = ask(zones=zones)
    octets = ".".join(reversed(nodes["desk"].ipv4.split(".")))
    assert told.values(f"{octets}.in-addr.arpa", "PTR") == ["desk.net.example.com."]
    nibbles = "1" + ".0" * 19 + ".0.e.1.a.c.5.1.1.a.7.d.f.ip6.arpa"
    assert told.values(nibbles, "PTR") == ["desk.net.example.com."]
    assert told.values(nibbles.upper(), "PTR") == ["desk.net.example.com."]


async def test_an_address_of_nobody_or_of_somebody_hidden_leads_nowhere(ask, nodes):
    told = ask(zones=[{"name": "net.example.com"}, {"name": "100.64.0.0/10"}])
    octets = ".".join(reversed(nodes["desk"].ipv4.split(".")))
    assert told.rcode(f"{octets}.in-addr.arpa", "PTR") == "NXDOMAIN"
    assert told.rcode("99.99.64.100.in-addr.arpa", "PTR") == "NXDOMAIN"
    assert told.rcode("64.100.in-addr.arpa", "PTR") == "NOERROR"
    assert told.rcode("300.64.100.in-addr.arpa", "PTR") == "NXDOMAIN"
    assert told.rcode("1.1.1.0.64.100.in-addr.arpa", "PTR") == "NXDOMAIN"


@pytest.fixture
def record(server):
    """Makes records of the tailnet: (label, type, value)."""

    async def make(*told):
        def command(state):
            records = tuple(
                DnsRecord(
                    id=number, name=f"{name}.net.example.com", type=kind, value=value, ttl=5 if kind == "A" else 0
                )
                for number, (name, kind, value) in enumerate(told, 1)
            )
            return Change(tailnet=1, kind="dns.updated", puts=records, at=server.now())

        await server.run(command)

    return make


async def test_records_of_the_tailnet_are_served(ask, record):
    await record(("mail", "A", "192.0.2.5"), ("mail", "", "2001:db8::5"), ("*.apps", "A", "192.0.2.6"))
    told = ask()
    assert told.values("mail.net.example.com") == ["192.0.2.5"]
    assert told.values("mail.net.example.com", "AAAA") == ["2001:db8::5"]
    assert told("mail.net.example.com").answer[0].ttl == 5
    assert told.values("a.apps.net.example.com") == ["192.0.2.6"]
    assert ask(zone={"records": False}).rcode("mail.net.example.com") == "NXDOMAIN"


async def test_names_in_their_values_are_whole_ones(ask, record):
    await record(("www", "CNAME", "web.example.org"), ("_sip._tcp", "SRV", "10 5 5060 sip.example.org"))
    told = ask()
    assert told.values("www.net.example.com") == ["web.example.org."]
    assert told.values("_sip._tcp.net.example.com", "SRV") == ["10 5 5060 sip.example.org."]


async def test_a_text_is_served_as_it_is_in_as_many_strings_as_it_needs(ask, record):
    await record(("note", "TXT", 'it "is" a; text'), ("long", "TXT", "ü" * 200))
    told = ask()
    (note,), (long,) = (told(f"{name}.net.example.com", "TXT").answer[0] for name in ("note", "long"))
    assert note.strings == (b'it "is" a; text',)
    assert (b"".join(long.strings).decode(), len(long.strings)) == ("ü" * 200, 2)


async def test_a_record_that_cannot_be_served_is_named_in_the_log(ask, record, caplog):
    await record(("bad", "A", "mail"), ("good", "A", "192.0.2.5"))
    told = ask()
    assert told.rcode("bad.net.example.com") == "NXDOMAIN"
    assert told.values("good.net.example.com") == ["192.0.2.5"]
    assert "the record bad.net.example.com A is not served" in caplog.text


EMPTY = SimpleNamespace(state=State(1))
LABELS = st.lists(st.binary(min_size=1, max_size=40), max_size=4)


@given(labels=LABELS)
def test_no_name_of_an_address_is_too_strange(labels):
    layer = AddressNames(Visibility(EMPTY, "all"), 60, lambda _: "x.")
    for top in (IN_ADDR, IP6):
        assert layer.at(Name(labels).concatenate(top), asker_at(EMPTY.state, "192.0.2.1")) in (None, {})
