"""Records of every type, set while all of it runs: clients answer addresses, and ask the server's zone for the rest."""

from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

ZONE = "corp.example"
OWN_RESOLVER = "100.100.100.100"
HEARD_WITHIN = 15.0
SETTINGS = """
[plugins]
enabled = ["dns"]
[plugins.dns]
listen = ["{address}:53"]
zones = [{{ name = "{zone}", nodes = "none" }}]
"""
RECORDS = [
    ("wiki", "A", "192.0.2.80"),
    ("six", "AAAA", "2001:db8::80"),
    ("*.apps", "A", "192.0.2.90"),
    ("outside", "CNAME", "www.example.net"),
    ("notes", "TXT", "v=spf1 -all"),
    ("_sip._tcp", "SRV", "10 5 5060 sip.corp.example"),
]
ASKED = [
    # the name and type that are asked for, how a resolver tells the answer, and how the client's own command does
    ("wiki", "A", "192.0.2.80", "192.0.2.80"),
    ("six", "AAAA", "2001:db8::80", "2001:db8::80"),
    ("shop.apps", "A", "192.0.2.90", "192.0.2.90"),
    ("outside", "CNAME", "www.example.net.", "www.example.net."),
    ("notes", "TXT", '"v=spf1 -all"', "v=spf1 -all"),
    ("_sip._tcp", "SRV", "10 5 5060 sip.corp.example.", "Target=sip.corp.example., Port=5060, Priority=10, Weight=5"),
]
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class NameServing(Hatsize):
    """A server that answers for a zone of the tailnet's own records, at an address that everybody reaches."""

    def prepare(self) -> None:
        self.settings = self.data.parent / "hatsize.toml"
        self.settings.write_text(SETTINGS.format(address=self.hub.address, zone=ZONE))

    def serve_argv(self) -> list[str]:
        return [*super().serve_argv(), "-c", str(self.settings)]


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(NameServing) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version; the records are made when they are there already."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    lab.server.cli("dns", "split", "set", ZONE, lab.server.hub.address)
    for name, kind, value in RECORDS:
        lab.server.cli("dns", "records", "add", f"{name}.{ZONE}", kind, value)
    return clients


def told(client: Client, name: str, kind: str) -> list[str]:
    """What the client's own resolver answers to a program on its machine."""
    query = dns.message.make_query(f"{name}.{ZONE}", kind)
    try:
        answer = client.machine.call(dns.query.udp, query, OWN_RESOLVER, timeout=5)
    except dns.exception.Timeout:
        return []
    return [rdata.to_text() for rrset in answer.answer for rdata in rrset]


@pytest.mark.parametrize(("name", "kind", "value", "shown"), ASKED)
@both_versions
def test_a_record_of_each_type_is_answered(
    clients: Clients, version: str, name: str, kind: str, value: str, shown: str
) -> None:
    client = clients[version]
    client.eventually(lambda: told(client, name, kind) == [value], f"{name} {kind} is answered", within=HEARD_WITHIN)
    assert shown in client.tailscale("dns", "query", f"{name}.{ZONE}", kind.lower())


@both_versions
def test_the_machines_own_programs_resolve_addresses_and_wildcards(clients: Clients, version: str) -> None:
    client = clients[version]
    assert client.resolve(f"wiki.{ZONE}") == "192.0.2.80"
    assert client.resolve(f"any.thing.apps.{ZONE}") == "192.0.2.90"
    assert client.resolve(f"six.{ZONE}", 6) == "2001:db8::80"
    assert client.resolve(f"nothing.{ZONE}") == ""


@both_versions
def test_a_record_set_by_the_api_is_answered_until_it_is_removed(lab: Lab, clients: Clients, version: str) -> None:
    client, name = clients[version], f"api-{version.replace('.', '-')}"
    key = str(lab.server.cli("apikeys", "create"))
    body = {"name": f"{name}.{ZONE}", "type": "TXT", "value": "by the API"}
    made = lab.server.api("POST", "/dns/record", key, body)["record"]
    client.eventually(lambda: told(client, name, "TXT") == ['"by the API"'], "it is answered", within=HEARD_WITHIN)
    lab.server.api("DELETE", f"/dns/record/{made['id']}", key)
    client.eventually(lambda: told(client, name, "TXT") == [], "it is gone", within=HEARD_WITHIN)


@both_versions
def test_who_answers_is_told_as_it_is(lab: Lab, clients: Clients, version: str) -> None:
    """A client that knows a name's addresses says nothing else of it, and asks nobody."""
    lab.server.cli("dns", "records", "add", f"both-{version[2:4]}.{ZONE}", "A", "192.0.2.81")
    added = lab.server.cli("dns", "records", "add", f"both-{version[2:4]}.{ZONE}", "TXT", "unheard")
    client = clients[version]
    client.eventually(lambda: told(client, f"both-{version[2:4]}", "A"), "the address is known", within=HEARD_WITHIN)
    assert told(client, f"both-{version[2:4]}", "TXT") == []
    assert added["answeredBy"] == ""
