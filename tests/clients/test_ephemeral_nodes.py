"""Ephemeral nodes, by their key or by the client's own wish, are forgotten when they stay away, and only then."""

from collections.abc import Iterator, Mapping

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

TIMEOUT = 8.0
OFFLINE_AFTER = 10.0  # seconds without a stream after which a node counts as away
FORGOTTEN_WITHIN = OFFLINE_AFTER + TIMEOUT + 10.0


class ShortOfMemory(Hatsize):
    """Ephemeral nodes may stay away for eight seconds."""

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_NODE_EPHEMERAL_TIMEOUT": f"{TIMEOUT:g}s"}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(ShortOfMemory) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def witness(lab: Lab) -> Client:
    witness = lab.client("witness")
    lab.join(witness)
    return witness


def names(lab: Lab) -> set[str]:
    return {node["givenName"] for node in lab.server.nodes()}


def test_those_that_stay_away_are_forgotten_and_those_that_come_back_are_not(lab: Lab, witness: Client) -> None:
    ephemeral = lab.server.auth_key("lab", "--ephemeral")
    by_key = [lab.client("key-old", OLDEST), lab.client("key-new", NEWEST)]
    by_wish = [lab.client("wish-old", OLDEST, in_memory=True), lab.client("wish-new", NEWEST, in_memory=True)]
    quick, lasting = lab.client("quick"), lab.client("lasting")
    lab.join(*by_key, quick, key=ephemeral)
    lab.join(*by_wish, lasting)
    clients = [*by_key, *by_wish, quick, lasting]
    for client in clients:
        witness.wait_peer(client.name)
    kept = lab.server.node("quick")
    for client in clients:
        client.kill()
    quick.start()
    for client in (*by_key, *by_wish):
        witness.wait_no_peer(client.name, within=FORGOTTEN_WITHIN)
    assert names(lab) == {"witness", "quick", "lasting"}
    assert lab.server.node("quick")["id"] == kept["id"]
    witness.reach("quick")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_client_that_wishes_to_be_ephemeral_is_forgotten_at_its_logout(
    lab: Lab, witness: Client, version: str
) -> None:
    client = lab.client(f"brief-{version.replace('.', '-')}", version, in_memory=True)
    lab.join(client)
    witness.wait_peer(client.name)
    client.tailscale("logout")
    witness.wait_no_peer(client.name)
    assert client.name not in names(lab)
