"""Clients join a real Headscale; it is stopped and imported, Hatsize takes its address, and the clients go on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.clients.rival import Headscale
from hatsize.testing.postgres import PostgresServer
from tests.clients.lab import binaries
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.commands import run
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize, hatsize
from tests.clients.lab.steady_ping import SteadyPing

ROUTE = "10.44.0.0/24"
POLICY = {
    "tagOwners": {"tag:web": ["lab@"]},
    "acls": [{"action": "accept", "src": ["lab@", "tag:web"], "dst": ["lab@:*", "tag:web:*", f"{ROUTE}:*"]}],
}


class Imported(Hatsize):
    """Hatsize at the address of a Headscale that was stopped, with all that it had."""

    scheme = "https"

    def __init__(self, former: Headscale) -> None:
        self.hub, self.url, self.former = former.hub, former.url, former
        self.data = self.hub.directory / "hatsize"
        self.log = self.hub.directory / "hatsize.log"
        self.prepare()
        self.start()

    def prepare(self) -> None:
        config = str(self.former.data / "config.yaml")
        self.report = json.loads(run([*self.cli_argv(), "import", "headscale", "--config", config, "-o", "json"],
                                     env=self.environment()))  # fmt: skip

    def serve_argv(self) -> list[str]:
        return [hatsize(), "serve", "-c", str(self.data / "hatsize.toml")]

    def client_environment(self) -> Mapping[str, str]:
        return self.former.client_environment()


class OnPostgres(Headscale):
    """A Headscale that keeps its state in PostgreSQL."""

    def database(self) -> str:
        server = PostgresServer()
        server.__enter__()
        self.hub.at_close.append(server.close)
        at = f"host: {server.directory}, port: 5432, name: postgres, user: hatsize, pass: '', ssl: false"
        return f"{{type: postgres, postgres: {{{at}}}}}"


@dataclass(frozen=True)
class Move:
    """What was before, and the lab as it is now."""

    lab: Lab
    clients: dict[str, Client]
    addresses: dict[str, tuple[str, str]]
    lost: int
    """Echoes lost on a direct path meanwhile."""
    auth_key: str
    api_key: str
    report: dict[str, Any]


@pytest.fixture(scope="module", params=[Headscale, OnPostgres])
def moved(request: pytest.FixtureRequest, programs: None) -> Iterator[Move]:
    try:
        binaries.headscale()
    except binaries.NotToBeHadError as lacking:
        pytest.skip(str(lacking))
    with laboratory(request.param) as lab:
        former = lab.server
        assert isinstance(former, Headscale)
        clients = _joined(lab)
        auth_key, api_key = former.auth_key(), str(former.cli("apikeys", "create"))
        addresses = {name: client.addresses() for name, client in clients.items()}
        ping = SteadyPing(clients["old"].machine, clients["new"].addresses()[0])
        former.stop()
        lab.server = server = Imported(former)
        lab.wait_online(*clients.values())
        yield Move(lab, clients, addresses, ping.lost(), auth_key, api_key, server.report)


def _joined(lab: Lab) -> dict[str, Client]:
    """`old` and `new` of a user, `web` tagged, and `hidden` behind a router, with a route of its own."""
    policy = Path(lab.network.directory) / "policy.json"
    policy.write_text(json.dumps(POLICY))
    lab.server.user("lab")
    run([*lab.server.cli_argv(), "policy", "set", "-f", str(policy)], env=lab.server.environment())
    clients = [lab.client("old", OLDEST), lab.client("new"), lab.client("hidden", behind_nat=True)]
    lab.join(*clients)
    web = lab.client("web", NEWEST)
    web.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:web"))
    clients[2].tailscale("set", f"--advertise-routes={ROUTE}")
    lab.server.cli("nodes", "approve-routes", "-i", lab.server.node_id("hidden"), "-r", ROUTE)
    clients[0].wait_direct("new")
    return {client.name: client for client in [*clients, web]}


def test_everything_comes_over(moved: Move) -> None:
    counts = moved.report["counts"]
    assert {what: count["imported"] for what, count in counts.items()} == {
        "users": 1, "auth keys": 3, "nodes": 4, "API keys": 1, "policies": 1,
    }  # fmt: skip
    assert all(count["found"] == count["imported"] for count in counts.values())


def test_not_one_packet_of_a_direct_path_is_lost(moved: Move) -> None:
    assert moved.lost == 0


def test_nobody_has_to_log_in_again(moved: Move) -> None:
    assert {client.state() for client in moved.clients.values()} == {"Running"}
    assert {name: client.addresses() for name, client in moved.clients.items()} == moved.addresses


def test_they_still_reach_each_other_by_name_and_through_the_relay(moved: Move) -> None:
    moved.clients["old"].reach("new")
    moved.clients["web"].reach("old", family=6)
    moved.clients["hidden"].reach("web", within=RECONNECT_DEADLINE)


def test_tags_and_approved_routes_are_as_they_were(moved: Move) -> None:
    assert moved.lab.server.node("web")["tags"] == ["tag:web"]
    assert moved.lab.server.node("hidden")["approvedRoutes"] == [ROUTE]
    assert ROUTE in moved.clients["new"].peer("hidden")["AllowedIPs"]


def test_another_machine_joins_with_a_key_that_headscale_made(moved: Move) -> None:
    late = moved.lab.client("late")
    moved.lab.join(late, key=moved.auth_key)
    late.reach("old")
    moved.clients["new"].wait_peer("late")


def test_an_api_key_that_headscale_made_is_accepted(moved: Move) -> None:
    listed = moved.lab.server.api("GET", "/node", moved.api_key)
    assert {"old", "new", "web", "hidden"} <= {node["givenName"] for node in listed["nodes"]}


def test_a_client_that_starts_anew_is_still_the_same_node(moved: Move) -> None:
    client = moved.clients["old"]
    client.stop()
    client.start()
    client.wait_state("Running")
    assert client.addresses() == moved.addresses["old"]
    client.reach("web")
