"""The server's own relay, in its process or beside it, is all that clients without UDP have, and it is enough."""

import os
import signal
from collections.abc import Iterator, Mapping

import pytest

from tests.clients.lab import nat
from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer, echoes
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import PORT, Hatsize
from tests.clients.lab.waiting import eventually

CUT_OFF_DEADLINE = 3.0
BACK_DEADLINE = 30.0


class Beside(Hatsize):
    """A server whose relay runs in a process of its own, on the next port."""

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_DERP_PROCESS": "true"}


@pytest.fixture(scope="module", params=[Hatsize, Beside])
def lab(request: pytest.FixtureRequest, programs: None) -> Iterator[Lab]:
    """A network whose server relays in one of the two ways."""
    with laboratory(request.param) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Mapping[str, Client]:
    """A client of each version, without UDP."""
    clients = {version: walled(lab, version) for version in CLIENT_VERSIONS}
    lab.join(*clients.values())
    return clients


def walled(lab: Lab, version: str, name: str = "walled") -> Client:
    machine = lab.network.machine(f"{name}-{version.replace('.', '-')}")
    nat.block_udp(machine)
    return lab.client_on(machine, version)


PAIRS = [(one, other) for one in CLIENT_VERSIONS for other in CLIENT_VERSIONS if one != other]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_clients_of_any_two_versions_talk_by_the_relay_alone(
    clients: Mapping[str, Client], source: str, target: str
) -> None:
    clients[source].reach(clients[target].name)
    assert clients[source].path_to(clients[target].name) == "DERP(hatsize)"


def test_the_relay_carries_tcp(clients: Mapping[str, Client]) -> None:
    first, *_, last = clients.values()
    server = EchoServer(last.machine, last.addresses()[0])
    assert echoes(first.machine, server.address)
    server.close()


def test_a_node_that_joins_now_is_relayed_now(lab: Lab, clients: Mapping[str, Client]) -> None:
    newcomer = walled(lab, NEWEST, "newcomer")
    lab.join(newcomer)
    newcomer.reach(clients[NEWEST].name)


def test_a_deleted_node_is_cut_off_at_once(lab: Lab, clients: Mapping[str, Client]) -> None:
    goner = walled(lab, NEWEST, "goner")
    lab.join(goner)
    goner.reach(clients[NEWEST].name)
    assert _connections(lab, goner)
    os.kill(goner.daemon.pid, signal.SIGSTOP)  # so that nothing ends at its own will
    before = len(_connections(lab, goner))
    lab.server.delete(goner.name)
    eventually(
        lambda: len(_connections(lab, goner)) < before,
        "the relay ends the connection",
        within=CUT_OFF_DEADLINE,
        evidence=lab.server.evidence,
    )
    os.kill(goner.daemon.pid, signal.SIGCONT)


def test_the_relay_process_comes_back_when_it_is_killed(lab: Lab, clients: Mapping[str, Client]) -> None:
    if not isinstance(lab.server, Beside):
        pytest.skip("the relay is the server's own process")
    first, *_, last = clients.values()
    (child,) = lab.server.hub.run("pgrep", "-P", str(lab.server.daemon.pid), "-f", "spawn_main").split()
    os.kill(int(child), signal.SIGKILL)
    first.reach(last.name, within=BACK_DEADLINE)


def _connections(lab: Lab, client: Client) -> list[str]:
    """The open connections of a client to the relay's port, as the server's machine sees them."""
    port = PORT + 1 if isinstance(lab.server, Beside) else PORT
    shown = lab.server.hub.run("ss", "-Htn", "state", "established", "sport", f"= :{port}")
    return [line for line in shown.splitlines() if f" {client.machine.address}:" in line]
