"""A client that was stopped, killed or logged out comes back as the node it was."""

from collections.abc import Callable

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab

Clients = dict[str, Client]


@pytest.fixture(scope="module")
def witness(lab: Lab) -> Client:
    return lab.client("witness", NEWEST)


@pytest.fixture(scope="module")
def clients(lab: Lab, witness: Client) -> Clients:
    """One client of each version, by version."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in CLIENT_VERSIONS}
    lab.join(witness, *clients.values())
    return clients


@pytest.mark.parametrize("end", [Client.stop, Client.kill], ids=["stopped", "killed"])
@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_a_restarted_client_is_still_logged_in(
    clients: Clients, witness: Client, version: str, end: Callable[[Client], None]
) -> None:
    client = clients[version]
    addresses = client.addresses()
    end(client)
    client.start()
    client.wait_state("Running")
    assert client.addresses() == addresses
    witness.reach(client.name)
    client.reach("witness")


def test_a_stopped_client_is_seen_offline_and_a_started_one_online(clients: Clients, witness: Client) -> None:
    client = clients[NEWEST]
    witness.wait_peer(client.name)
    client.stop()
    witness.wait_peer(client.name, online=False)
    client.start()
    witness.wait_peer(client.name)


@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_a_client_that_logged_out_needs_a_key_and_is_then_the_same_node(
    lab: Lab, clients: Clients, witness: Client, version: str
) -> None:
    client = clients[version]
    before = lab.server.node(client.name)
    witness.reach(client.name)
    client.tailscale("logout")
    client.wait_state("NeedsLogin")
    witness.eventually(lambda: not witness.pings(before["ipAddresses"][0]), "the node is gone", within=20)
    lab.join(client)
    client.wait_state("Running")
    after = lab.server.node(client.name)
    assert (after["id"], after["ipAddresses"]) == (before["id"], before["ipAddresses"])
    assert after["nodeKey"] != before["nodeKey"]
    witness.reach(client.name)


def test_an_ephemeral_client_that_logs_out_is_forgotten(lab: Lab, witness: Client, clients: Clients) -> None:
    passing = lab.client("passing")
    lab.join(passing, key=lab.server.auth_key("lab", "--ephemeral"))
    witness.wait_peer("passing")
    passing.tailscale("logout")
    witness.wait_no_peer("passing")
    assert "passing" not in {node["givenName"] for node in lab.server.nodes()}
