"""Clients find a direct path where there is one, and the server's relay carries them where there is none."""

import pytest

from tests.clients.lab import nat
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer, echoes
from tests.clients.lab.laboratory import Lab

FALL_BACK_DEADLINE = 40.0  # a client trusts a silent direct path for some seconds, and then asks for another one
Clients = dict[str, Client]


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """`open-old` and `open-new` are on the internet, `hidden-old` and `hidden-new` each behind a NAT of its own."""
    clients = [
        lab.client("open-old", OLDEST),
        lab.client("open-new", NEWEST),
        lab.client("hidden-old", OLDEST, behind_nat=True),
        lab.client("hidden-new", NEWEST, behind_nat=True),
    ]
    lab.join(*clients)
    return {client.name: client for client in clients}


@pytest.mark.parametrize(("source", "target"), [("open-old", "open-new"), ("open-new", "open-old")])
def test_two_clients_on_the_internet_talk_directly(clients: Clients, source: str, target: str) -> None:
    clients[source].wait_direct(target)
    assert clients[source].path_to(target).startswith(f"{clients[target].machine.address}:")


def test_a_client_behind_nat_is_reached_at_its_routers_address(lab: Lab, clients: Clients) -> None:
    clients["open-new"].wait_direct("hidden-new")
    router = next(machine for machine in lab.network.machines if machine.name == "hidden-new-router")
    assert clients["open-new"].path_to("hidden-new").startswith(f"{router.address}:")


@pytest.mark.parametrize(("source", "target"), [("hidden-old", "hidden-new"), ("hidden-new", "hidden-old")])
def test_two_clients_behind_hard_nats_are_relayed(clients: Clients, source: str, target: str) -> None:
    clients[source].reach(target)
    assert clients[source].path_to(target).startswith("DERP")


def test_a_relayed_connection_carries_tcp(clients: Clients) -> None:
    server = EchoServer(clients["hidden-new"].machine, clients["hidden-new"].addresses()[0])
    assert echoes(clients["hidden-old"].machine, server.address)
    server.close()


def test_a_path_that_goes_silent_is_replaced_by_the_relay(clients: Clients) -> None:
    source, target = clients["open-new"], clients["open-old"]
    source.wait_direct(target.name)
    nat.block_udp(target.machine)
    source.reach(target.name, within=FALL_BACK_DEADLINE)
    assert source.path_to(target.name).startswith("DERP")
    nat.allow_udp(target.machine)
    source.wait_direct(target.name, within=FALL_BACK_DEADLINE)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_client_that_never_had_udp_joins_and_is_reached(lab: Lab, clients: Clients, version: str) -> None:
    machine = lab.network.machine(f"tcp-only-{version.replace('.', '-')}")
    nat.block_udp(machine)
    walled = lab.client_on(machine, version)
    lab.join(walled)
    for name in ("open-old", "hidden-new"):
        walled.reach(name)
        clients[name].reach(walled.name)
    assert walled.path_to("open-old").startswith("DERP")
