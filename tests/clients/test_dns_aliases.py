"""Real clients resolve records set by command line, and aliases that follow their nodes."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

HEARD_WITHIN = 15.0
Clients = list[Client]


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Hatsize) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    clients = [lab.client(f"client-{version.replace('.', '-')}", version) for version in (NEWEST, OLDEST)]
    lab.join(*clients)
    return clients


def resolves(client: Client, name: str, address: str) -> bool:
    return client.resolve(name) == address


def wait_resolved(clients: Clients, name: str, address: str) -> None:
    for client in clients:
        what = f"{client.name} resolves {name} as {address or 'nothing'}"
        client.eventually(partial(resolves, client, name, address), what, within=HEARD_WITHIN)


def node_of(lab: Lab, client: Client) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in lab.server.cli("nodes", "list") if node["name"] == client.name)
    return found


def test_a_record_comes_and_goes(lab: Lab, clients: Clients) -> None:
    record = lab.server.cli("dns", "records", "add", "wiki.corp.example", "A", "192.0.2.80")
    wait_resolved(clients, "wiki.corp.example", "192.0.2.80")
    lab.server.cli("dns", "records", "remove", "-i", record["id"])
    wait_resolved(clients, "wiki.corp.example", "")


def test_an_alias_has_the_addresses_of_its_node(lab: Lab, clients: Clients) -> None:
    node = node_of(lab, clients[0])
    added = lab.server.cli("dns", "records", "add", "www.corp.example", "CNAME", "web.tailnet.internal")
    assert added["answeredBy"] == ""
    lab.server.cli("nodes", "rename", "web", "-i", node["id"])
    wait_resolved(clients, "www.corp.example", node["ipAddresses"][0])
    lab.server.cli("nodes", "rename", "other", "-i", node["id"])
    wait_resolved(clients, "www.corp.example", "")
