"""Two replicas behind HAProxy, on one PostgreSQL: clients of different ones meet, and go on when one ends.

client --- hub: haproxy :8080 --+-- replica-a :8080 --+-- PostgreSQL
                                +-- replica-b :8080 --+
"""

import json
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hatsize.testing.postgres import NoPostgresError, PostgresServer
from tests.clients.lab import nat, requirements
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.commands import CommandError, run
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.logs import tail
from tests.clients.lab.network import Network
from tests.clients.lab.server import PORT, ControlServer, hatsize, page
from tests.clients.lab.steady_ping import SteadyPing
from tests.clients.lab.waiting import eventually

GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "replicas.md"
LEASE = 10.0
WALL = """
table inet lab_wall {{
  chain outward {{ type filter hook output priority 0; ip daddr {address} reject; }}
}}
"""


class Replica:
    """One of the servers, on a machine of its own."""

    def __init__(self, network: Network, name: str, settings: Mapping[str, str]) -> None:
        self.name = name
        self.machine = network.machine(f"replica-{name}")
        self.address = self.machine.address
        self.log = self.machine.directory / "server.log"
        self.data = self.machine.directory / "data"
        own = {"HATSIZE_DATA_DIR": str(self.data), "HATSIZE_PLUGINS_CLUSTER_NAME": name}
        self.environment = {**settings, **own, "HATSIZE_LISTEN": f"{self.address}:{PORT}"}

    def start(self) -> None:
        self.daemon = Daemon(self.machine, hatsize(), "serve", log=self.log, env=self.environment)
        eventually(self.is_ready, f"replica {self.name} is ready", within=60, evidence=lambda: tail(self.log))

    def is_ready(self) -> bool:
        assert self.daemon.is_running(), f"replica {self.name} has ended"
        return bool(self.machine.call(page, f"http://{self.address}:{PORT}/cluster/ready")[0] == 200)


class Balanced(ControlServer):
    """HAProxy as the guide sets it up, and two replicas behind it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.postgres = PostgresServer()
        self.postgres.__enter__()
        network.hub.at_close.append(self.postgres.close)
        super().__init__(network.hub)

    def prepare(self) -> None:
        key = self.hub.directory / "cluster.key"
        key.write_text("5a" * 32)
        settings = {
            "HATSIZE_SERVER_URL": self.url,
            "HATSIZE_DATABASE_URL": self.postgres.url(),
            "HATSIZE_PLUGINS_ENABLED": "cluster",
            "HATSIZE_PLUGINS_CLUSTER_KEY_FILE": str(key),
            "HATSIZE_PLUGINS_CLUSTER_LEASE": str(LEASE),
        }
        self.replicas = {name: Replica(self.network, name, settings) for name in "ab"}
        for replica in self.replicas.values():
            replica.start()
        guide = GUIDE.read_text().split("```haproxy\n")[1].split("```")[0]
        for told, ours in (
            ("10.0.0.11", self.replicas["a"].address),
            ("10.0.0.12", self.replicas["b"].address),
            ("bind :443", f"bind {self.hub.address}:{PORT}"),
        ):
            assert told in guide
            guide = guide.replace(told, ours)
        self.balancer = self.hub.directory / "haproxy.cfg"
        self.balancer.write_text(guide)

    def serve_argv(self) -> list[str]:
        return ["haproxy", "-db", "-f", str(self.balancer)]

    def cli_argv(self) -> list[str]:
        return [hatsize()]

    def environment(self) -> Mapping[str, str]:
        """Of a replica that runs."""
        return next(each.environment for each in self.replicas.values() if each.daemon.is_running())

    def evidence(self) -> str:
        return "\n".join([super().evidence(), *(tail(each.log) for each in self.replicas.values())])

    def status(self) -> dict[str, dict[str, Any]]:
        """What `hatsize cluster status` tells, by name."""
        told = run([hatsize(), "cluster", "status", "-o", "json"], env=self.environment())
        return {each["name"]: each for each in json.loads(told)["replicas"] if each["state"] != "lost"}

    def streams(self) -> dict[str, int]:
        return {name: each["sessions"] for name, each in self.status().items()}


class Cluster(Lab):
    """`old` and `new` talk directly; `left` reaches only the relay of replica a, `right` only that of replica b."""

    server: Balanced

    def build(self) -> None:
        self.old, self.new = self.client("old", OLDEST), self.client("new", NEWEST)
        self.left, self.right = self.walled("left", "b"), self.walled("right", "a")
        for client in (self.old, self.new, self.left, self.right):
            self.join(client)

    def walled(self, name: str, out_of_reach: str) -> Client:
        machine = self.network.machine(name)
        nat.block_udp(machine)
        machine.run("nft", WALL.format(address=self.server.replicas[out_of_reach].address))
        return self.client_on(machine)

    def tear_down_walls(self) -> None:
        for client in (self.left, self.right):
            client.machine.run("nft", "delete table inet lab_wall")


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Cluster]:
    network = Network()
    try:
        made = Cluster(network, Balanced(network))
        made.build()
        yield made
    except NoPostgresError as error:
        absent(str(error))
    finally:
        network.close()


@pytest.fixture(scope="module", autouse=True)
def haproxy() -> None:
    if not shutil.which("haproxy"):
        absent("the command haproxy (Debian package haproxy)")


def absent(reason: str) -> None:
    if requirements.required():
        pytest.fail(reason)
    pytest.skip(reason)


def test_the_balancer_spreads_clients_over_the_replicas(lab: Cluster) -> None:
    def spread() -> bool:
        streams = lab.server.streams()
        return sum(streams.values()) == 4 and min(streams.values()) >= 1

    eventually(spread, "four streams, at both replicas", within=20, evidence=lab.evidence)


def test_clients_of_different_replicas_talk_directly(lab: Cluster) -> None:
    lab.old.wait_direct("new")
    lab.new.reach("old")


def test_clients_at_relays_of_different_replicas_talk_through_the_mesh(lab: Cluster) -> None:
    for source, target in ((lab.left, lab.right), (lab.right, lab.left)):
        source.reach(target.name, within=RECONNECT_DEADLINE)
        assert source.path_to(target.name).startswith("DERP")


def test_a_change_at_one_replica_reaches_all_clients(lab: Cluster) -> None:
    lab.server.rename("old", "renamed")
    for client in (lab.new, lab.left, lab.right):
        client.wait_peer("renamed")
    lab.server.rename("renamed", "old")
    for client in (lab.new, lab.left, lab.right):
        client.wait_peer("old")


def test_while_the_database_is_away_clients_talk_and_nobody_goes_offline(lab: Cluster) -> None:
    direct = SteadyPing(lab.old.machine, lab.new.addresses()[0])
    relayed = SteadyPing(lab.left.machine, lab.right.addresses()[0])
    lab.server.postgres.kill()
    try:
        with pytest.raises(CommandError, match="nothing was changed, try again"):
            lab.server.rename("old", "lost")
        lab.old.reach("new")
    finally:
        lab.server.postgres.start()
    eventually(lambda: len(lab.server.status()) == 2, "both serve", within=20, evidence=lab.evidence)
    assert all(lab.server.is_online(name) for name in ("old", "new", "left", "right"))
    lab.server.rename("old", "renamed")
    lab.right.wait_peer("renamed")
    lab.server.rename("renamed", "old")
    assert (direct.lost(), relayed.lost()) == (0, 0)


def test_a_replica_that_was_paused_past_its_lease_takes_part_again(lab: Cluster) -> None:
    direct = SteadyPing(lab.old.machine, lab.new.addresses()[0])
    paused = lab.server.replicas["b"].daemon
    paused.send(signal.SIGSTOP)
    eventually(lambda: set(lab.server.status()) == {"a"}, "its lease is over", within=2 * LEASE, evidence=lab.evidence)
    paused.send(signal.SIGCONT)
    for client in (lab.old, lab.new, lab.left, lab.right):
        lab.wait_online(client)
    lab.server.rename("old", "renamed")
    for client in (lab.new, lab.left, lab.right):
        client.wait_peer("renamed", within=RECONNECT_DEADLINE)
    lab.server.rename("renamed", "old")
    lab.left.reach("right", within=RECONNECT_DEADLINE)
    assert direct.lost() == 0


def test_draining_moves_all_clients_and_none_of_them_goes_offline(lab: Cluster) -> None:
    ping = SteadyPing(lab.old.machine, lab.new.addresses()[0])
    run([hatsize(), "cluster", "drain", "b"], env=lab.server.environment(), deadline=120)
    assert lab.server.streams()["b"] == 0
    assert all(lab.server.is_online(name) for name in ("old", "new", "left", "right"))
    assert ping.lost() == 0
    run([hatsize(), "cluster", "drain", "--cancel", "b"], env=lab.server.environment())


def test_when_a_replica_is_killed_its_clients_go_on_at_another(lab: Cluster) -> None:
    lab.tear_down_walls()
    direct = SteadyPing(lab.old.machine, lab.new.addresses()[0])
    relayed = SteadyPing(lab.left.machine, lab.right.addresses()[0])
    lab.server.replicas["a"].daemon.kill()
    for client in (lab.old, lab.new, lab.left, lab.right):
        lab.wait_online(client)
    lab.left.reach("right", within=RECONNECT_DEADLINE)
    lab.right.reach("left", within=RECONNECT_DEADLINE)
    eventually(lambda: lab.server.streams() == {"b": 4}, "all are at b", within=RECONNECT_DEADLINE)
    assert direct.lost() == 0
    assert relayed.longest_silence() < RECONNECT_DEADLINE


def test_a_replica_that_comes_back_takes_part_again(lab: Cluster) -> None:
    lab.server.replicas["a"].start()
    eventually(lambda: set(lab.server.status()) == {"a", "b"}, "both serve", within=20, evidence=lab.evidence)
    lab.server.rename("new", "newest")
    lab.old.wait_peer("newest")
