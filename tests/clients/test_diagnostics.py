"""The client's own tools find nothing wrong with the server."""

import json
from typing import Any

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab

Clients = dict[str, Client]
every_version = pytest.mark.parametrize("version", CLIENT_VERSIONS)


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """One client of each version, by version."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in CLIENT_VERSIONS}
    lab.join(*clients.values())
    return clients


def netcheck(client: Client) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(client.tailscale("netcheck", "--format=json"))
    return report


@every_version
def test_netcheck_hears_from_stun_and_finds_a_home_relay(clients: Clients, version: str) -> None:
    report = netcheck(clients[version])
    assert report["UDP"]
    assert report["GlobalV4"].startswith(f"{clients[version].machine.address}:")
    assert report["PreferredDERP"]


def test_the_relay_passes_the_newest_clients_own_check(clients: Clients) -> None:
    """The checks of the older ones know no pinned certificate, unlike the clients themselves."""
    region = netcheck(clients[NEWEST])["PreferredDERP"]
    report = json.loads(clients[NEWEST].tailscale("debug", "derp", str(region)))
    assert any("Successfully established a DERP connection" in line for line in report["Info"]), report


@every_version
def test_a_client_knows_whose_an_address_is(clients: Clients, version: str) -> None:
    address = clients[version].addresses()[0]
    for client in clients.values():
        whose = json.loads(client.tailscale("whois", "--json", f"{address}"))
        assert whose["Node"]["ComputedName"] == clients[version].name
        assert whose["UserProfile"]["DisplayName"] == "lab"


@every_version
def test_a_joined_client_has_no_complaint(clients: Clients, version: str) -> None:
    complaints = [line for line in clients[version].status().get("Health") or [] if "DNS" not in line]
    assert complaints == []


@pytest.mark.parametrize("kind", ["", "--tsmp", "--icmp", "--peerapi"])
def test_every_kind_of_client_ping_is_answered(clients: Clients, kind: str) -> None:
    oldest, newest = clients[CLIENT_VERSIONS[0]], clients[CLIENT_VERSIONS[-1]]
    for source, target in ((oldest, newest), (newest, oldest)):
        flags = [kind] if kind else []
        answer = source.tailscale("ping", *flags, "--c=1", "--until-direct=false", target.addresses()[0])
        assert answer.startswith(("pong from", "hit peerapi")), answer
