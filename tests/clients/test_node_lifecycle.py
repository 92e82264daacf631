"""What the administrator does to a node reaches the node and everyone else at once."""

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab

AT_ONCE = 10.0  # pushed, not found out by a timer; the rest is for a busy machine
Clients = dict[str, Client]


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """One client of each version, by version."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in CLIENT_VERSIONS}
    lab.join(*clients.values())
    return clients


def other_than(clients: Clients, version: str) -> Client:
    """A client of another version to look from."""
    return clients[OLDEST if version == NEWEST else NEWEST]


@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_a_renamed_node_answers_to_its_new_name_alone(lab: Lab, clients: Clients, version: str) -> None:
    client, witness = clients[version], other_than(clients, version)
    witness.reach(client.name)
    lab.server.rename(client.name, "renamed")
    witness.wait_peer("renamed", within=AT_ONCE)
    witness.reach("renamed")
    assert witness.resolve("renamed") == client.addresses()[0]
    assert witness.resolve(client.name) == ""
    assert client.full_name().startswith("renamed.")
    lab.server.rename("renamed", client.name)
    witness.wait_peer(client.name, within=AT_ONCE)


@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_an_expired_node_is_cut_off_until_it_logs_in_again(lab: Lab, clients: Clients, version: str) -> None:
    client, witness = clients[version], other_than(clients, version)
    address = client.addresses()[0]
    witness.reach(address)
    lab.server.expire(client.name)
    client.wait_state("NeedsLogin", within=AT_ONCE)
    witness.eventually(lambda: not witness.pings(address), f"{client.name} is cut off", within=AT_ONCE)
    client.up(lab.server.url, lab.server.auth_key(), "--force-reauth")
    client.wait_state("Running")
    assert client.addresses()[0] == address
    witness.reach(address)


@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_a_deleted_node_is_told_so_and_is_gone_for_the_others(lab: Lab, clients: Clients, version: str) -> None:
    client, witness = clients[version], other_than(clients, version)
    witness.reach(client.name)
    lab.server.delete(client.name)
    witness.wait_no_peer(client.name, within=AT_ONCE)
    client.wait_state("NeedsLogin", within=AT_ONCE)
    assert client.name not in {node["givenName"] for node in lab.server.nodes()}
    client.up(lab.server.url, lab.server.auth_key(), "--force-reauth")
    client.wait_state("Running")
    witness.wait_peer(client.name)
    witness.reach(client.name)
