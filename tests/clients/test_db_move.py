"""The server moves from SQLite to PostgreSQL: to its clients that is a restart, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hatsize.testing.postgres import PostgresServer
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.steady_ping import SteadyPing

Clients = dict[str, Client]


@dataclass(frozen=True)
class Moved:
    """What the command told, and what it was like for the clients."""

    report: dict[str, Any]
    addresses: dict[str, tuple[str, str]]
    lost: int


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    clients = [lab.client("old", OLDEST), lab.client("new", NEWEST)]
    lab.join(*clients)
    return {client.name: client for client in clients}


@pytest.fixture(scope="module")
def moved(lab: Lab, clients: Clients) -> Iterator[Moved]:
    """The server was stopped, moved, and serves from PostgreSQL."""
    with PostgresServer() as postgres, pytest.MonkeyPatch.context() as patch:
        url = postgres.new_database()
        clients["old"].wait_direct("new")
        addresses = {name: client.addresses() for name, client in clients.items()}
        ping = SteadyPing(clients["old"].machine, clients["new"].addresses()[0])
        lab.server.stop()
        report = lab.server.cli("db", "move", url)
        environment = {**lab.server.environment(), "HATSIZE_DATABASE_URL": url}
        patch.setattr(lab.server, "environment", lambda: environment)
        lab.server.start()
        lab.wait_online(*clients.values())
        yield Moved(report, addresses, ping.lost())
        lab.server.stop()


def test_everything_went_over(moved: Moved, lab: Lab) -> None:
    assert moved.report["rows"]["node"] == 2
    status = lab.server.cli("db", "status")
    assert (status["engine"], status["tailnets"][0]["rows"]["node"]) == ("postgresql", 2)


def test_nobody_has_to_log_in_again_and_addresses_stay(moved: Moved, clients: Clients) -> None:
    assert {client.state() for client in clients.values()} == {"Running"}
    assert {name: client.addresses() for name, client in clients.items()} == moved.addresses


def test_not_one_packet_of_a_direct_path_is_lost(moved: Moved) -> None:
    assert moved.lost == 0


def test_the_clients_hear_of_a_change_again(moved: Moved, lab: Lab, clients: Clients) -> None:
    clients["old"].reach("new")
    lab.server.rename("new", "renamed")
    clients["old"].wait_peer("renamed")
