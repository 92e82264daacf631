"""A server whose certificates come from a real ACME authority: clients verify them, and notice no renewal."""

import shutil
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
from cryptography import x509

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.pebble import Pebble
from tests.clients.lab.requirements import required
from tests.clients.lab.resolver import Resolver
from tests.clients.lab.server import PORT, Hatsize
from tests.clients.lab.waiting import eventually

DOMAIN = "hatsize.example.com"
LIFE = 30
"""Seconds for which a certificate is good; it is renewed when a third of them is left."""
ISSUED_WITHIN = 30.0
Clients = dict[str, Client]


class Certified(Hatsize):
    """A server with a name, beside an authority that issues short-lived certificates by one kind of challenge."""

    scheme = "https"
    challenge = ""

    def prepare(self) -> None:
        self.url = f"https://{DOMAIN}:{PORT}"
        names = Resolver(self.hub, self.hub.address, self.hub.address, DOMAIN)
        asked = {"tlsPort": PORT, "httpPort": 80, "profiles": {"brief": {"description": "", "validityPeriod": LIFE}}}
        self.pebble = Pebble(self.hub, f"{names.address}:53", **asked)
        self.root = self.data.parent / "root.pem"
        self.root.write_text(self.pebble.root())

    def start(self) -> None:
        super().start()
        eventually(lambda: self.certificate().issuer != self.certificate().subject, "a certificate is issued",
                   within=ISSUED_WITHIN, evidence=self.evidence)  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        acme = {
            "HATSIZE_TLS_ACME_DOMAINS": DOMAIN,
            "HATSIZE_TLS_ACME_URL": self.pebble.url,
            "HATSIZE_TLS_ACME_CA_FILE": str(self.pebble.ca_file),
            "HATSIZE_TLS_ACME_CHALLENGE": self.challenge,
            "HATSIZE_TLS_ACME_LISTEN": f"{self.hub.address}:80",
        }
        return {**super().environment(), **acme}

    def client_environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.root)}

    def certificate(self) -> x509.Certificate:
        """What it shows to those who ask for its name."""
        return x509.load_der_x509_certificate(self.hub.call(_shown, self.hub.address))


class ByHTTP(Certified):
    """Port 80 is asked for a token."""

    challenge = "http-01"


class ByTLS(Certified):
    """The server's own port is asked for a certificate made for the purpose."""

    challenge = "tls-alpn-01"


@pytest.fixture(scope="module", params=[ByHTTP, ByTLS])
def lab(request: pytest.FixtureRequest, programs: None) -> Iterator[Lab]:
    if not shutil.which("nginx"):
        (pytest.fail if required() else pytest.skip)("needs nginx (Debian package nginx-light)")
    with laboratory(request.param) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def server(lab: Lab) -> Certified:
    assert isinstance(lab.server, Certified)
    return lab.server


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version, which trusts that authority alone."""
    clients = {version: named(lab, f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    return clients


def named(lab: Lab, name: str, version: str) -> Client:
    """A client on a machine that knows the server's name."""
    machine = lab.network.machine(name)
    with machine.etc.joinpath("hosts").open("a") as hosts:
        hosts.write(f"{lab.server.hub.address} {DOMAIN}\n")
    return lab.client_on(machine, version)


def connections(client: Client) -> set[str]:
    """The ports from which a client is connected to the server."""
    shown = client.machine.run("ss", "-Htn", "state", "established", "dport", f"= :{PORT}")
    return {line.split()[2].rpartition(":")[2] for line in shown.splitlines()}


def _shown(address: str) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((address, PORT), timeout=5)
    with context.wrap_socket(plain, server_hostname=DOMAIN) as shown:
        return shown.getpeercert(binary_form=True) or b""


def test_clients_that_trust_the_authority_join_and_reach_each_other(clients: Clients) -> None:
    for one, other in ((OLDEST, NEWEST), (NEWEST, OLDEST)):
        clients[one].reach(clients[other].name)


def test_a_renewal_is_noticed_by_nobody(lab: Lab, server: Certified, clients: Clients) -> None:
    first = server.certificate()
    before = {client.name: connections(client) for client in clients.values()}
    assert all(before.values())
    eventually(
        lambda: server.certificate().serial_number != first.serial_number, "another certificate is shown", within=LIFE
    )
    time.sleep(max(0.0, (first.not_valid_after_utc - datetime.now(UTC)).total_seconds()))
    for client in clients.values():
        assert before[client.name] <= connections(client), f"{client.name} connected anew"
    late = named(lab, "late", NEWEST)
    lab.join(late)
    late.reach(clients[OLDEST].name)
