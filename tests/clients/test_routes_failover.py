"""Two routers for one LAN: when one freezes, its connections open, traffic goes on through the other."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.namespaces import Namespace

FAILOVER_DEADLINE = 15.0
STEADY = 12.0  # longer than two rounds of probing
Routers = tuple[Client, Client]


@pytest.fixture(scope="module")
def traveller(lab: Lab) -> Client:
    client = lab.client("traveller", OLDEST)
    client.up(lab.server.url, lab.server.auth_key(), "--accept-routes")
    return client


@pytest.fixture(scope="module")
def routers(lab: Lab) -> Routers:
    return lab.client("left", NEWEST), lab.client("right", OLDEST)


@pytest.fixture(scope="module")
def host(lab: Lab, routers: Routers) -> Namespace:
    """A machine on the LAN of both routers, whose route is approved for both."""
    left, right = routers
    host = lab.network.lan(left.machine)
    second_way(host, right.machine)
    for router in routers:
        router.up(lab.server.url, lab.server.auth_key(), f"--advertise-routes={network(host)}")
        lab.server.approve_routes(router.name, network(host))
    return host


def second_way(host: Namespace, gateway: Namespace) -> None:
    """Cable another gateway to a LAN's host."""
    address = f"{host.address.rpartition('.')[0]}.3"
    gateway.ip("link", "add", "lan0", "type", "veth", "peer", "name", "eth1", "netns", host.full_name)
    gateway.ip("addr", "add", f"{address}/24", "dev", "lan0")
    gateway.ip("link", "set", "lan0", "up")
    gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    host.ip("link", "set", "eth1", "up")
    host.ip("route", "add", address, "dev", "eth1")


def network(host: Namespace) -> str:
    return f"{host.address.rpartition('.')[0]}.0/24"


def serving(lab: Lab) -> str:
    """Which router serves the LAN."""
    return " ".join(node["givenName"] for node in lab.server.nodes() if node.get("subnetRoutes"))


@contextmanager
def frozen(client: Client) -> Iterator[None]:
    """The client's daemon stands still, and the kernel keeps its connections."""
    pid = daemon_of(client)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def daemon_of(client: Client) -> int:
    """tailscaled's own process, behind the programs that enter its namespace."""
    pid = client.daemon.pid
    while Path(f"/proc/{pid}/comm").read_text().strip() != "tailscaled":
        (pid,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return pid


def test_a_frozen_router_is_replaced_and_does_not_come_back_by_itself(
    lab: Lab, traveller: Client, routers: Routers, host: Namespace
) -> None:
    traveller.reach(host.address)
    assert serving(lab) == "left"
    with frozen(routers[0]):
        started = time.monotonic()
        traveller.reach(host.address, within=FAILOVER_DEADLINE)
        assert time.monotonic() - started < FAILOVER_DEADLINE
        assert serving(lab) == "right"
        assert lab.server.is_online("left"), "the failover came by the broken stream, not by the probe"
    time.sleep(STEADY)
    assert serving(lab) == "right"
    assert traveller.pings(host.address)
    with frozen(routers[1]):
        traveller.reach(host.address, within=FAILOVER_DEADLINE)
        assert serving(lab) == "left"


def test_clients_answer_for_their_own_diagnostics(lab: Lab, traveller: Client, routers: Routers) -> None:
    for client in (traveller, *routers):
        answer = lab.server.cli("nodes", "debug", lab.server.node_id(client.name), "/echo", "-X", "POST", "-d", "hello")
        assert (answer["status"], answer["body"]) == (200, "hello")
