"""Three unmodified clients of three versions, one of them behind NAT, join by key and reach each other by name."""

from itertools import permutations

import pytest

from tests.clients.lab.binaries import MIDDLE, NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer, echoes
from tests.clients.lab.laboratory import Lab

NAMES = ("old", "middle", "new")
PAIRS = list(permutations(NAMES, 2))
IPV6_PAIRS = [pair for pair in PAIRS if pair[0] != "old"]  # 1.80 never answers AAAA for a peer with an IPv4 address
Clients = dict[str, Client]


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """`old` (1.80) and `middle` are on the internet, `new` is behind NAT."""
    clients = [lab.client("old", OLDEST), lab.client("middle", MIDDLE), lab.client("new", NEWEST, behind_nat=True)]
    lab.join(*clients)
    return {client.name: client for client in clients}


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_joined_is_running_with_an_address_of_each_family(clients: Clients, name: str) -> None:
    clients[name].wait_state("Running")
    ipv4, ipv6 = clients[name].addresses()
    assert ipv4.startswith("100.")
    assert ipv6.startswith("fd7a:115c:a1e0:")


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_kernels_ping_each_other_by_short_name(clients: Clients, source: str, target: str) -> None:
    clients[source].reach(target)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_kernels_ping_each_other_by_full_name(clients: Clients, source: str, target: str) -> None:
    clients[source].reach(clients[target].full_name())


@pytest.mark.parametrize(("source", "target"), IPV6_PAIRS)
def test_kernels_ping_each_other_by_name_over_ipv6(clients: Clients, source: str, target: str) -> None:
    clients[source].reach(target, 6)
    clients[source].reach(clients[target].full_name(), 6)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_kernels_ping_each_other_by_ipv6_address(clients: Clients, source: str, target: str) -> None:
    clients[source].reach(clients[target].addresses()[1], 6)


@pytest.mark.parametrize("target", NAMES)
def test_a_name_resolves_to_the_addresses_of_its_node(clients: Clients, target: str) -> None:
    ipv4, ipv6 = clients[target].addresses()
    for name in (target, clients[target].full_name()):
        assert clients["new"].resolve(name, 4) == ipv4
        assert clients["new"].resolve(name, 6) == ipv6


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_flows_out_of_a_nat_and_into_it(clients: Clients, family: int) -> None:
    for source, target in (("new", "old"), ("old", "new")):
        server = EchoServer(clients[target].machine, clients[target].addresses()[family == 6])
        assert echoes(clients[source].machine, server.address)
        server.close()


def test_the_client_behind_nat_finds_a_direct_path_to_those_that_are_not(clients: Clients) -> None:
    clients["new"].wait_direct("old")
    clients["new"].wait_direct("middle")


def test_every_client_knows_the_owner_of_its_peers(clients: Clients) -> None:
    users = clients["new"].status()["User"]
    assert {users[str(clients["new"].peer(name)["UserID"])]["DisplayName"] for name in ("old", "middle")} == {"lab"}
