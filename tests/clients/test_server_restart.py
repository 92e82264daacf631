"""The server may stop, be killed and come back: what the clients have among themselves goes on meanwhile."""

from collections.abc import Callable, Iterator

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.server import ControlServer
from tests.clients.lab.steady_ping import SteadyPing

Clients = dict[str, Client]


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """`old` and `new` talk directly, `hidden` and `hidden-too` through the relay."""
    clients = [
        lab.client("old", OLDEST),
        lab.client("new", NEWEST),
        lab.client("hidden", OLDEST, behind_nat=True),
        lab.client("hidden-too", NEWEST, behind_nat=True),
    ]
    lab.join(*clients)
    return {client.name: client for client in clients}


@pytest.fixture(params=[ControlServer.stop, ControlServer.kill], ids=["stopped", "killed"], scope="module")
def ended(request: pytest.FixtureRequest, lab: Lab, clients: Clients) -> Iterator[dict[str, int]]:
    """The server was ended in one of the two ways and is back; what was lost between two clients meanwhile."""
    end: Callable[[ControlServer], object] = request.param
    clients["old"].wait_direct("new")
    addresses = {name: client.addresses() for name, client in clients.items()}
    ping = SteadyPing(clients["old"].machine, clients["new"].addresses()[0])
    end(lab.server)
    clients["new"].reach("old")
    lab.server.start()
    lab.wait_online(*clients.values())
    yield {"lost": ping.lost()}
    assert addresses == {name: client.addresses() for name, client in clients.items()}


def test_not_one_packet_of_a_direct_path_is_lost(ended: dict[str, int]) -> None:
    assert ended["lost"] == 0


def test_nobody_has_to_log_in_again(ended: dict[str, int], clients: Clients) -> None:
    assert {client.state() for client in clients.values()} == {"Running"}


def test_the_relay_carries_again(ended: dict[str, int], clients: Clients) -> None:
    clients["hidden"].reach("hidden-too", within=RECONNECT_DEADLINE)
    assert clients["hidden"].path_to("hidden-too").startswith("DERP")


def test_the_clients_hear_of_a_change_again(ended: dict[str, int], lab: Lab, clients: Clients) -> None:
    node = lab.server.node("hidden-too")
    lab.server.cli("nodes", "rename", "renamed", "-i", str(node["id"]))
    for name in ("old", "new", "hidden"):
        clients[name].wait_peer("renamed")
    lab.server.cli("nodes", "rename", "hidden-too", "-i", str(node["id"]))
    clients["old"].wait_peer("hidden-too")


def test_a_stop_with_open_polls_takes_less_than_two_seconds(lab: Lab, clients: Clients) -> None:
    assert all(lab.server.is_online(name) for name in clients)
    assert lab.server.stop() < 2
    lab.server.start()
