"""A LAN behind a client is reached through it as soon as the administrator approves its route."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer, echoes
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.namespaces import Namespace

Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def travellers(lab: Lab) -> Clients:
    """One of each version behind a router of its own, by version."""
    travellers = {
        version: lab.client(f"traveller-{version.replace('.', '-')}", version, behind_nat=True)
        for version in (OLDEST, NEWEST)
    }
    for client in travellers.values():
        client.up(lab.server.url, lab.server.auth_key(), "--accept-routes")
    return travellers


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Client:
    return lab.client("gateway")


@pytest.fixture(scope="module")
def host(lab: Lab, gateway: Client) -> Namespace:
    """A machine on the gateway's LAN that has never heard of the tailnet."""
    host = lab.network.lan(gateway.machine)
    gateway.up(lab.server.url, lab.server.auth_key(), f"--advertise-routes={network(host)}")
    return host


def network(host: Namespace) -> str:
    return f"{host.address.rpartition('.')[0]}.0/24"


@both_versions
def test_an_advertised_route_is_not_used_before_it_is_approved(
    travellers: Clients, host: Namespace, version: str
) -> None:
    traveller = travellers[version]
    traveller.reach("gateway")
    assert not traveller.pings(host.address)


@both_versions
def test_an_approved_route_leads_to_the_lan(lab: Lab, travellers: Clients, host: Namespace, version: str) -> None:
    traveller = travellers[version]
    lab.server.approve_routes("gateway", network(host))
    traveller.reach(host.address)
    server = EchoServer(host, host.address)
    assert echoes(traveller.machine, server.address)
    server.close()


@both_versions
def test_a_route_that_is_taken_back_leads_nowhere(lab: Lab, travellers: Clients, host: Namespace, version: str) -> None:
    traveller = travellers[version]
    lab.server.approve_routes("gateway", network(host))
    traveller.reach(host.address)
    lab.server.approve_routes("gateway")
    traveller.eventually(lambda: not traveller.pings(host.address), "the LAN is out of reach", within=20)
