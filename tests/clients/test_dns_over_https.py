"""Clients ask NextDNS over HTTPS, by the profile and with what is told of the machine as the policy says."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.doh import DnsOverHttps
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.resolver import Resolver
from tests.clients.lab.server import Hatsize

NAME, ADDRESSES = "dns.nextdns.io", ["45.90.28.0", "45.90.30.0"]
"""Where clients know NextDNS to be."""
OURS, THEIRS = "abc123", "fedcba"
WORLD = "192.0.2.1"
HEARD_WITHIN = 15.0
ALL = {"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class BesideNextDNS(Hatsize):
    """A server whose tailnet asks NextDNS, of which this network has one of its own."""

    def prepare(self) -> None:
        for address in ADDRESSES:
            self.hub.ip("addr", "add", f"{address}/32", "dev", "lo")
        self.nextdns = DnsOverHttps(
            self.hub, NAME, ADDRESSES, Resolver(self.hub, self.hub.address, WORLD, "example.com")
        )

    def client_environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.nextdns.certificate)}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(BesideNextDNS) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version."""
    lab.server.cli("dns", "nameservers", "set", f"https://{NAME}/{OURS}", "--override")
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    return clients


def allow(lab: Lab, *attributes: str) -> None:
    lab.server.set_policy({**ALL, "nodeAttrs": [{"target": ["*"], "attr": [*attributes]}]} if attributes else ALL)


def asks(lab: Lab, client: Client, profile: str) -> dict[str, str]:
    """What NextDNS is told of a client, once it asks by a profile."""
    server = lab.server
    assert isinstance(server, BesideNextDNS)
    found: dict[str, str] = {}

    def by_profile() -> bool:
        before = len(server.nextdns.asked)
        assert client.resolve("www.example.com") == WORLD
        url = urlsplit(server.nextdns.asked[before:][-1])
        found.clear()
        found.update(parse_qsl(url.query))
        return url.path == f"/{profile}"

    client.eventually(by_profile, f"{client.name} asks by {profile}", within=HEARD_WITHIN)
    return found


@both_versions
def test_a_client_asks_by_the_tailnets_profile_and_tells_which_machine_it_is(
    lab: Lab, clients: Clients, version: str
) -> None:
    client = clients[version]
    told = asks(lab, client, OURS)
    assert told == {"device_name": client.name, "device_model": "linux", "device_ip": client.addresses()[0]}


@both_versions
def test_the_policy_chooses_another_profile_and_that_nothing_is_told(lab: Lab, clients: Clients, version: str) -> None:
    client = clients[version]
    allow(lab, f"nextdns:{THEIRS}")
    assert asks(lab, client, THEIRS)["device_name"] == client.name
    allow(lab, f"nextdns:{THEIRS}", "nextdns:no-device-info")
    client.eventually(lambda: asks(lab, client, THEIRS) == {}, "nothing is told of it", within=HEARD_WITHIN)
    allow(lab)
    assert asks(lab, client, OURS)["device_name"] == client.name
