"""What clients are told besides the netmap: updates, messages of the administrators, other ways to the server."""

import os
import signal
from collections.abc import Iterator, Mapping

import pytest

from hatsize.server.tls import self_signed
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import PORT, Hatsize

AT_ONCE = 10.0
NAME = "control.example.net"
SETTINGS = """
clients.server_addresses = ["{address}"]
clients.latest_version = "{latest}"
clients.urgent_below = "{urgent}"
derp.ipv4 = "{address}"
"""
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class Named(Hatsize):
    """A server that clients know by a name, over TLS, with settings that a test writes anew."""

    scheme = "https"

    def prepare(self) -> None:
        self.url = f"https://{NAME}:{PORT}"
        self.files = self_signed(self.data.parent / "certificates", [NAME])
        self.settings = self.data.parent / "hatsize.toml"
        self.write()

    def write(self, latest: str = "", urgent: str = "") -> None:
        self.settings.write_text(SETTINGS.format(address=self.hub.address, latest=latest, urgent=urgent))

    def go_by(self, latest: str, urgent: str = "") -> None:
        """Have other settings read."""
        self.write(latest, urgent)
        os.kill(self.daemon.pid, signal.SIGHUP)

    def environment(self) -> Mapping[str, str]:
        cert, key = str(self.files.certificate), str(self.files.key)
        tls = {"HATSIZE_TLS_CERT_FILE": cert, "HATSIZE_TLS_KEY_FILE": key}
        return {**super().environment(), **tls, "HATSIZE_CONFIG": str(self.settings)}

    def client_environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.files.certificate)}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Named) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def server(lab: Lab) -> Named:
    assert isinstance(lab.server, Named)
    return lab.server


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version, which finds the server by name."""
    clients = {}
    for version in (OLDEST, NEWEST):
        machine = lab.network.machine(f"client-{version.replace('.', '-')}")
        with machine.etc.joinpath("hosts").open("a") as hosts:
            hosts.write(f"{lab.server.hub.address} {NAME}\n")
        clients[version] = lab.client_on(machine, version)
    lab.join(*clients.values())
    return clients


def complaints(client: Client) -> str:
    """All that a client says to its user is not well."""
    return "\n".join(client.status().get("Health") or [])


def wait_said(client: Client, words: str) -> None:
    client.eventually(lambda: words in complaints(client), f"{client.name} says {words!r}", within=AT_ONCE)


def wait_unsaid(client: Client, words: str) -> None:
    client.eventually(lambda: words not in complaints(client), f"{client.name} says it no more", within=AT_ONCE)


@both_versions
def test_a_message_is_shown_until_it_is_deleted(lab: Lab, clients: Clients, version: str) -> None:
    client = clients[version]
    lab.server.cli("messages", "set", "repairs", "--title", "Repairs", "--text", "Tonight at ten.")
    wait_said(client, "Tonight at ten.")
    lab.server.cli("messages", "set", "repairs", "--title", "Repairs", "--text", "Tonight at eleven.")
    wait_said(client, "Tonight at eleven.")
    assert "ten." not in complaints(client)
    lab.server.cli("messages", "delete", "repairs")
    wait_unsaid(client, "Tonight")


def test_a_message_to_one_node_is_shown_by_no_other(lab: Lab, clients: Clients) -> None:
    number = lab.server.node_id(clients[NEWEST].name)
    lab.server.cli("messages", "set", "you", "--title", "You", "--text", "Nobody else.", "--node", number)
    wait_said(clients[NEWEST], "Nobody else.")
    assert "Nobody else." not in complaints(clients[OLDEST])
    lab.server.cli("messages", "delete", "you")


def test_a_message_outlives_the_server_and_the_client(lab: Lab, clients: Clients) -> None:
    client = clients[NEWEST]
    lab.server.cli("messages", "set", "lasting", "--title", "Lasting", "--text", "Still here.")
    lab.server.stop()
    lab.server.start()
    client.stop()
    client.start()
    client.eventually(lambda: "Still here." in complaints(client), "it is shown again", within=RECONNECT_DEADLINE)
    lab.server.cli("messages", "delete", "lasting")


def test_old_clients_say_that_there_is_an_update_and_new_ones_do_not(server: Named, clients: Clients) -> None:
    server.go_by(NEWEST)
    wait_said(clients[OLDEST], NEWEST)
    assert NEWEST not in complaints(clients[NEWEST])
    assert "ecurity" not in complaints(clients[OLDEST])
    server.go_by(NEWEST, urgent=NEWEST)
    wait_said(clients[OLDEST], "ecurity")
    server.go_by("")
    wait_unsaid(clients[OLDEST], NEWEST)


@both_versions
def test_a_client_that_cannot_resolve_the_server_dials_it_by_address(
    lab: Lab, server: Named, clients: Clients, version: str
) -> None:
    client = clients[version]
    lab.wait_online(client)
    hosts = client.machine.etc.joinpath("hosts")
    hosts.write_text(hosts.read_text().replace(NAME, "elsewhere.example.net"))
    server.stop()
    server.start()
    lab.wait_online(client)
