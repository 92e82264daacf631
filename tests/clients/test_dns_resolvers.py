"""Resolvers that clients ask: for everything, for single domains, for single nodes; changed while all of it runs."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.resolver import Resolver

HEARD_WITHIN = 15.0
WORLD, OFFICE, BRANCH = "192.0.2.1", "192.0.2.2", "192.0.2.3"
ALL = {"tagOwners": {"tag:branch": [], "tag:gate": []}, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
Clients = dict[str, Client]
Resolvers = dict[str, Resolver]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def resolvers(lab: Lab) -> Resolvers:
    """`world` knows example.com and corp.example, `office` and `branch` know corp.example, each by another address."""
    addresses = {"world": "203.0.113.53", "office": "203.0.113.54", "branch": "203.0.113.55"}
    lab.network.internet(*addresses.values())
    hub = lab.server.hub
    return {
        "world": Resolver(hub, addresses["world"], WORLD, "example.com", "corp.example"),
        "office": Resolver(hub, addresses["office"], OFFICE, "corp.example"),
        "branch": Resolver(hub, addresses["branch"], BRANCH, "corp.example"),
    }


@pytest.fixture(scope="module")
def clients(lab: Lab, resolvers: Resolvers) -> Clients:
    """A client of each version, by version, which knows no resolver of its own; and a branch's of each, tagged."""
    lab.server.set_policy(ALL)
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    branches = [lab.client("branch"), lab.client("branch-old", OLDEST)]
    lab.join(*branches, key=lab.server.auth_key("lab", "--tags", "tag:branch"))
    return {**clients, **{client.name: client for client in branches}}


def wait_resolved(client: Client, name: str, address: str) -> None:
    what = f"{client.name} resolves {name} as {address or 'nothing'}"
    client.eventually(lambda: client.resolve(name) == address, what, within=HEARD_WITHIN)


@both_versions
def test_global_resolvers_are_asked_for_everything(
    lab: Lab, resolvers: Resolvers, clients: Clients, version: str
) -> None:
    client = clients[version]
    lab.server.cli("dns", "nameservers", "clear")
    wait_resolved(client, "www.example.com", "")
    lab.server.cli("dns", "nameservers", "set", resolvers["world"].address, "--override")
    wait_resolved(client, "www.example.com", WORLD)
    assert client.resolve("unheard-of.example.org") == ""
    assert client.resolve(clients["branch"].name) == clients["branch"].addresses()[0], (
        "nodes' names are its own to know"
    )
    assert not any(name.endswith("tailnet.internal") for name in resolvers["world"].asked)


@both_versions
def test_a_domain_with_a_resolver_of_its_own_is_asked_for_there(
    lab: Lab, resolvers: Resolvers, clients: Clients, version: str
) -> None:
    client = clients[version]
    lab.server.cli("dns", "nameservers", "set", resolvers["world"].address, "--override")
    wait_resolved(client, "wiki.corp.example", WORLD)
    lab.server.cli("dns", "split", "set", "corp.example", resolvers["office"].address)
    wait_resolved(client, "wiki.corp.example", OFFICE)
    assert client.resolve("www.example.com") == WORLD
    lab.server.cli("dns", "split", "remove", "corp.example")
    wait_resolved(client, "wiki.corp.example", WORLD)


@both_versions
def test_a_search_domain_completes_names_without_a_dot(
    lab: Lab, resolvers: Resolvers, clients: Clients, version: str
) -> None:
    client = clients[version]
    lab.server.cli("dns", "split", "set", "corp.example", resolvers["office"].address)
    lab.server.cli("dns", "search", "set", "corp.example")
    wait_resolved(client, "wiki", OFFICE)
    lab.server.cli("dns", "search", "clear")
    wait_resolved(client, "wiki", "")


def test_a_node_has_the_resolvers_that_its_attributes_name(lab: Lab, resolvers: Resolvers, clients: Clients) -> None:
    own = f"resolver:corp.example={resolvers['branch'].address}"
    lab.server.cli("dns", "split", "set", "corp.example", resolvers["office"].address)
    lab.server.set_policy({**ALL, "nodeAttrs": [{"target": ["tag:branch"], "attr": [own]}]})
    for name in ("branch", "branch-old"):
        wait_resolved(clients[name], "wiki.corp.example", BRANCH)
    for version in (OLDEST, NEWEST):
        wait_resolved(clients[version], "wiki.corp.example", OFFICE)
    lab.server.set_policy(ALL)
    for name in ("branch", "branch-old"):
        wait_resolved(clients[name], "wiki.corp.example", OFFICE)


@both_versions
def test_settings_changed_by_the_api_are_followed(
    lab: Lab, resolvers: Resolvers, clients: Clients, version: str
) -> None:
    client, key = clients[version], str(lab.server.cli("apikeys", "create"))
    chosen = {
        "nameservers": [resolvers["world"].address],
        "overrideLocalDns": True,
        "split": {"corp.example": [resolvers["office"].address]},
        "searchDomains": ["corp.example"],
    }
    lab.server.api("PATCH", "/dns", key, chosen)
    wait_resolved(client, "www.example.com", WORLD)
    wait_resolved(client, "wiki", OFFICE)
    lab.server.api("PATCH", "/dns", key, dict.fromkeys(chosen))
    wait_resolved(client, "www.example.com", "")
    wait_resolved(client, "wiki", "")


@both_versions
def test_magic_dns_is_turned_off_and_on(lab: Lab, clients: Clients, version: str) -> None:
    client, branch = clients[version], clients["branch"]
    wait_resolved(client, branch.name, branch.addresses()[0])
    lab.server.cli("dns", "magic", "off")
    wait_resolved(client, branch.name, "")
    lab.server.cli("dns", "magic", "on")
    wait_resolved(client, branch.name, branch.addresses()[0])


@both_versions
def test_without_override_a_machine_keeps_its_own_resolvers(
    lab: Lab, resolvers: Resolvers, clients: Clients, version: str
) -> None:
    machine = lab.network.machine(f"own-{version.replace('.', '-')}")
    machine.etc.joinpath("resolv.conf").write_text(f"nameserver {resolvers['branch'].address}\n")
    client = lab.client_on(machine, version)
    lab.server.cli("dns", "split", "reset")
    lab.server.cli("dns", "nameservers", "set", resolvers["world"].address, "--no-override")
    lab.join(client)
    wait_resolved(client, "wiki.corp.example", BRANCH)
    lab.server.cli("dns", "override", "on")
    wait_resolved(client, "wiki.corp.example", WORLD)


def test_a_marked_resolver_is_asked_through_an_exit_node_too(lab: Lab, resolvers: Resolvers, clients: Clients) -> None:
    client, machine = clients[NEWEST], lab.network.machine("gate")
    machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    gate, office = lab.client_on(machine, NEWEST), resolvers["office"].address
    gate.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:gate"), "--advertise-exit-node")
    lab.server.approve_routes("gate", "0.0.0.0/0")
    own = {"target": ["tag:gate"], "attr": [f"resolver:corp.example={resolvers['branch'].address}"]}
    lab.server.set_policy({**ALL, "nodeAttrs": [own]})
    lab.server.cli("dns", "split", "set", "corp.example", office)
    client.eventually(lambda: client.peer("gate").get("ExitNodeOption"), "it is offered", within=HEARD_WITHIN)
    client.tailscale("set", "--exit-node=gate")
    wait_resolved(client, "wiki.corp.example", BRANCH)
    lab.server.cli("dns", "split", "set", "corp.example", f"{office}#with-exit-node")
    wait_resolved(client, "wiki.corp.example", OFFICE)
    client.tailscale("set", "--exit-node=")
