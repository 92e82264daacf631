"""Real clients through real reverse proxies: they join, are told apart, stay connected and use the relay.

client --- nginx :443 ----+
client --- Caddy :443 ----+-- hub: hatsize :8080, without TLS
client --- HAProxy :443 --+
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise, product

import pytest

from hatsize.server.tls import self_signed
from tests.clients.lab import nat
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import REACH_DEADLINE, Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.network import FIRST_MACHINE
from tests.clients.lab.proxies import KINDS, NAME, Proxy
from tests.clients.lab.requirements import required
from tests.clients.lab.server import PORT, Hatsize

PATIENCE = 65.0
"""Seconds, longer than nginx and HAProxy wait for a word by their own defaults."""
PROXIES = [f"10.99.0.{FIRST_MACHINE + number}" for number in range(len(KINDS))]
"""The first machines of the lab."""
THROUGH = list(product(KINDS, (OLDEST, NEWEST)))
Clients = dict[tuple[str, str], Client]


class BehindProxies(Hatsize):
    """A server that speaks no TLS, and takes the proxies' word."""

    def prepare(self) -> None:
        self.url = f"https://{NAME}"
        self.certificate = self_signed(self.data.parent / "certificate", [NAME])

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_TRUSTED_PROXIES": ",".join(PROXIES)}

    def client_environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.certificate.certificate)}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if lacks := [name for name in KINDS if not shutil.which(name)]:
        (pytest.fail if required() else pytest.skip)(f"needs {' and '.join(lacks)}")
    with laboratory(BehindProxies) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def proxies(lab: Lab) -> dict[str, Proxy]:
    server = lab.server
    assert isinstance(server, BehindProxies)
    upstream = f"{server.hub.address}:{PORT}"
    made = {kind: Proxy(lab.network.machine(kind), kind, upstream, server.certificate) for kind in KINDS}
    assert [proxy.machine.address for proxy in made.values()] == PROXIES
    return made


@pytest.fixture(scope="module")
def clients(lab: Lab, proxies: dict[str, Proxy]) -> Clients:
    """By proxy and version a client that knows the server by this proxy alone, and has no UDP."""
    clients = {}
    for kind, version in THROUGH:
        machine = lab.network.machine(f"by-{kind}-{version.replace('.', '-')}")
        with machine.etc.joinpath("hosts").open("a") as hosts:
            hosts.write(f"{proxies[kind].machine.address} {NAME}\n")
        nat.block_udp(machine)
        clients[kind, version] = lab.client_on(machine, version)
    lab.join(*clients.values())
    return clients


@pytest.fixture(scope="module")
def opened(clients: Clients) -> tuple[float, dict[str, set[str]]]:
    """When the clients were connected to the server and to the relay, and the connections that each had then."""
    for client in clients.values():
        client.eventually(lambda c=client: len(connections(c)) >= 2, "it is connected to both", within=REACH_DEADLINE)
    return time.monotonic(), {client.name: connections(client) for client in clients.values()}


def connections(client: Client) -> set[str]:
    """The ports from which a client is connected to its proxy."""
    shown = client.machine.run("ss", "-Htn", "state", "established", "dport", "= :443")
    return {line.split()[2].rpartition(":")[2] for line in shown.splitlines()}


def test_the_relay_carries_through_the_proxies(opened: object, clients: Clients) -> None:
    first, *others = clients.values()
    for one, other in pairwise([first, *others, first]):
        one.reach(other.name)
        assert one.path_to(other.name) == "DERP(hatsize)"


@pytest.mark.parametrize(("kind", "version"), THROUGH)
def test_the_server_knows_where_a_client_comes_from(lab: Lab, clients: Clients, kind: str, version: str) -> None:
    client = clients[kind, version]
    assert f" {client.name} (node.registered) from {client.machine.address}\n" in lab.server.log.read_text()


def test_connections_outlast_the_proxies_own_patience(
    opened: tuple[float, dict[str, set[str]]], lab: Lab, clients: Clients
) -> None:
    began, before = opened
    time.sleep(max(0.0, began + PATIENCE - time.monotonic()))
    for client in clients.values():
        assert before[client.name] <= connections(client), f"{client.name} connected anew"
        assert lab.server.is_online(client.name)
