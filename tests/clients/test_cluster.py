"""Two replicas on one PostgreSQL: clients of different ones meet, and go on when one ends."""

import signal
from collections.abc import Iterator

import pytest

from hatsize.testing.postgres import NoPostgresError
from tests.clients.lab import nat
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.commands import CommandError, run
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.network import Network
from tests.clients.lab.replicas import LEASE, Balanced, absent, need_haproxy
from tests.clients.lab.server import hatsize
from tests.clients.lab.steady_ping import SteadyPing
from tests.clients.lab.waiting import eventually

WALL = """
table inet lab_wall {{
  chain outward {{ type filter hook output priority 0; ip daddr {address} reject; }}
}}
"""


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
    need_haproxy()


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
