"""What a policy says reaches unmodified clients at once: ports, capabilities, routers, attributes."""

import json
import socket
from functools import partial
from typing import Any

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.namespaces import Namespace

A_SECOND = 1.0
AT_ONCE = 3.0
NETWORK, BEHIND = "10.77.0.0/24", "10.77.0.1"
Policy = dict[str, Any]
Clients = dict[str, Client]

OWNERS: Policy = {"tag:web": [], "tag:one": [], "tag:two": []}
ALL: Policy = {"tagOwners": OWNERS, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
WEB = {OLDEST: "web-old", NEWEST: "web-new"}
LAPTOP = {OLDEST: "laptop-old", NEWEST: "laptop-new"}
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A person's laptop and a web server of each version, and two routers, `one` and `two`, to the same network."""
    lab.server.set_policy(ALL)
    laptops = [lab.client(name, version) for version, name in LAPTOP.items()]
    for laptop in laptops:
        laptop.up(lab.server.url, lab.server.auth_key(), "--accept-routes")
    webs = [lab.client(name, version) for version, name in WEB.items()]
    lab.join(*webs, key=lab.server.auth_key("lab", "--tags", "tag:web"))
    routers = [lab.client(name) for name in ("one", "two")]
    for router in routers:
        router.machine.ip("addr", "add", f"{BEHIND}/32", "dev", "lo")
        key = lab.server.auth_key("lab", "--tags", f"tag:{router.name}")
        router.up(lab.server.url, key, f"--advertise-routes={NETWORK}")
        lab.server.approve_routes(router.name, NETWORK)
    for client in (*webs, *routers):
        for laptop in laptops:
            laptop.reach(client.name)
    return {client.name: client for client in (*laptops, *webs, *routers)}


def connects(machine: Namespace, address: tuple[str, int]) -> bool:
    """Whether a TCP connection is answered within a moment."""
    try:
        machine.call(socket.create_connection, address, timeout=0.4).close()
    except OSError:
        return False
    return True


@both_versions
def test_a_changed_rule_closes_and_opens_a_port_within_a_second(lab: Lab, clients: Clients, version: str) -> None:
    laptop, web = clients[LAPTOP[NEWEST]], clients[WEB[version]]
    server = EchoServer(web.machine, web.addresses()[0])
    only_pings = {**ALL, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["icmp:*"]}]}
    laptop.eventually(lambda: connects(laptop.machine, server.address), "the port is open", within=AT_ONCE)
    for _ in range(3):
        lab.server.set_policy(only_pings)
        laptop.eventually(lambda: not connects(laptop.machine, server.address), "it closes", within=A_SECOND)
        assert not connects(laptop.machine, server.address)
        laptop.reach(web.name)
        lab.server.set_policy(ALL)
        laptop.eventually(lambda: connects(laptop.machine, server.address), "it opens", within=A_SECOND)
    server.close()


@both_versions
def test_a_granted_capability_shows_in_whois(lab: Lab, clients: Clients, version: str) -> None:
    laptop, web = clients[LAPTOP[NEWEST]], clients[WEB[version]]
    grant = {"src": ["lab@"], "dst": ["tag:web"], "app": {"example.com/cap/wiki": [{"role": "editor"}]}}
    lab.server.set_policy({**ALL, "grants": [*ALL["grants"], grant]})

    def granted() -> list[Any]:
        found = json.loads(web.tailscale("whois", "--json", laptop.addresses()[0]))
        return list((found["CapMap"] or {}).get("example.com/cap/wiki", ()))

    web.eventually(lambda: granted() == [{"role": "editor"}], "the capability is known", within=A_SECOND)
    lab.server.set_policy(ALL)
    web.eventually(lambda: not granted(), "the capability is gone", within=A_SECOND)


def serves(viewer: Client, router: str) -> bool:
    """Whether the viewer goes to the network behind the routers by this one."""
    return NETWORK in (viewer.peer(router).get("PrimaryRoutes") or [])


@both_versions
def test_via_picks_the_router(lab: Lab, clients: Clients, version: str) -> None:
    laptop = clients[LAPTOP[version]]
    servers = {name: EchoServer(clients[name].machine, BEHIND, port) for name, port in (("one", 7001), ("two", 7002))}
    for name, other in (("one", "two"), ("two", "one"), ("one", "two")):
        grants = [
            {"src": ["lab@"], "dst": ["tag:one", "tag:two"], "ip": ["*"]},
            {"src": ["lab@"], "dst": [NETWORK], "ip": ["*"], "via": [f"tag:{name}"]},
        ]
        lab.server.set_policy({**ALL, "grants": grants})
        laptop.eventually(partial(serves, laptop, name), f"{name} has the route", within=A_SECOND)
        assert not serves(laptop, other)
        reached = partial(connects, laptop.machine, servers[name].address)
        laptop.eventually(reached, f"{name} is reached", within=AT_ONCE)
        assert not connects(laptop.machine, servers[other].address)
    for server in servers.values():
        server.close()


@both_versions
def test_node_attributes_show_in_the_clients_netmap(lab: Lab, clients: Clients, version: str) -> None:
    web = clients[WEB[version]]
    attr = "custom.example.com/blue"
    lab.server.set_policy({**ALL, "nodeAttrs": [{"target": ["tag:web"], "attr": [attr]}]})
    web.eventually(lambda: attr in web.status()["Self"]["CapMap"], "it has the attribute", within=A_SECOND)
    assert attr not in clients[LAPTOP[version]].status()["Self"]["CapMap"]
    lab.server.set_policy(ALL)
    web.eventually(lambda: attr not in web.status()["Self"]["CapMap"], "the attribute is gone", within=A_SECOND)
