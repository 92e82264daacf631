"""What an administrator asks connected clients: for a sign of life, for a path, for their own diagnostics."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import REACH_DEADLINE, Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab

AT_ONCE = 10.0
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version, that reach each other directly."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    clients[OLDEST].wait_direct(clients[NEWEST].name)
    return clients


def other_than(clients: Clients, version: str) -> Client:
    return clients[OLDEST if version == NEWEST else NEWEST]


@both_versions
def test_a_ping_is_answered(lab: Lab, clients: Clients, version: str) -> None:
    answer = lab.server.cli("nodes", "ping", lab.server.node_id(clients[version].name))
    assert 0 < answer["milliseconds"] < 5000


@both_versions
def test_a_node_tells_how_it_reaches_another(lab: Lab, clients: Clients, version: str) -> None:
    other = other_than(clients, version)
    ids = [lab.server.node_id(client.name) for client in (clients[version], other)]

    def path() -> str:
        """By the relay at first, where a path of its own has not been found yet, or is not trusted any more."""
        answer = lab.server.cli("nodes", "ping", ids[0], "--to", ids[1])
        assert 0 < answer["milliseconds"] < 5000
        return str(answer["path"])

    clients[version].eventually(
        lambda: path().startswith(f"{other.machine.address}:"), "it reaches it directly", within=REACH_DEADLINE
    )


@both_versions
@pytest.mark.parametrize("path", ["/debug/goroutines", "/debug/prefs", "/debug/metrics"])
def test_a_client_answers_for_its_own_diagnostics(lab: Lab, clients: Clients, version: str, path: str) -> None:
    answer = lab.server.cli("nodes", "debug", lab.server.node_id(clients[version].name), path)
    assert answer["status"] == 200
    assert answer["body"]


def test_a_client_that_is_not_there_does_not_answer_and_that_is_told(lab: Lab, clients: Clients) -> None:
    gone = lab.client("gone")
    lab.join(gone)
    number = lab.server.node_id("gone")
    gone.stop()
    with pytest.raises(CommandError, match=r"gone is not connected|gone did not answer"):
        lab.server.cli("nodes", "ping", number)


@both_versions
def test_a_router_that_does_not_forward_is_shown_with_its_routes(lab: Lab, clients: Clients, version: str) -> None:
    machine = lab.network.machine(f"closed-{version.replace('.', '-')}")
    machine.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    router = lab.client_on(machine, version)
    router.up(lab.server.url, lab.server.auth_key(), "--advertise-routes=10.66.0.0/24")

    def warned() -> bool:
        return any("IP forwarding is off" in words for words in lab.server.node(router.name).get("warnings", ()))

    router.eventually(warned, "the administrator is told", within=AT_ONCE)
    machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    router.tailscale("set", "--advertise-routes=10.66.0.0/24,10.67.0.0/24")
    router.eventually(lambda: not warned(), "the administrator is told that it is mended", within=AT_ONCE)
