"""Exit nodes carry a client's way to the world in both families, once approved, and where the policy lets it."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import UP_DEADLINE, Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.mirror import Mirror

WORLD_V4, WORLD_V6 = "203.0.113.7", "2001:db8:7::7"
AT_ONCE = 10.0
BY_VERSION = {OLDEST: "gate-old", NEWEST: "gate-new"}
OWNERS = {"tag:gate-old": [], "tag:gate-new": []}
ALL = {"tagOwners": OWNERS, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def world(lab: Lab) -> tuple[Mirror, Mirror]:
    """Somebody in the wide world, by IPv4 and by IPv6, who tells everybody where they come from."""
    lab.network.internet(WORLD_V4, WORLD_V6)
    return Mirror(lab.server.hub, WORLD_V4), Mirror(lab.server.hub, WORLD_V6)


@pytest.fixture(scope="module")
def gates(lab: Lab) -> Clients:
    """An exit node of each version, tagged with its name, not approved yet."""
    lab.server.set_policy(ALL)
    gates = {name: gate(lab, name, version) for version, name in BY_VERSION.items()}
    for name, client in gates.items():
        client.up(lab.server.url, lab.server.auth_key("lab", "--tags", f"tag:{name}"), "--advertise-exit-node")
    return gates


def gate(lab: Lab, name: str, version: str) -> Client:
    machine = lab.network.machine(name)
    machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    lab.network.give_ipv6(machine)
    return lab.client_on(machine, version)


@pytest.fixture(scope="module")
def travellers(lab: Lab, gates: Clients) -> Clients:
    """A client of each version without IPv6 of its own, by version."""
    travellers = {version: lab.client(f"traveller-{name}", version) for version, name in BY_VERSION.items()}
    lab.join(*travellers.values())
    return travellers


@pytest.fixture(scope="module")
def approved(lab: Lab, gates: Clients, travellers: Clients) -> None:
    for name in gates:
        lab.server.approve_routes(name, "0.0.0.0/0")


def suggest(lab: Lab, name: str) -> None:
    lab.server.set_policy({**ALL, "nodeAttrs": [{"target": [f"tag:{name}"], "attr": ["suggest-exit-node"]}]})


def ipv6_of(machine_address: str) -> str:
    return f"fd99::{machine_address.rpartition('.')[2]}"


@both_versions
def test_an_exit_node_is_not_offered_before_it_is_approved(travellers: Clients, gates: Clients, version: str) -> None:
    traveller = travellers[version]
    for name in gates:
        traveller.wait_peer(name)
        assert not traveller.peer(name).get("ExitNodeOption")
    with pytest.raises(CommandError, match=r"not advertising an exit node|not an exit node|invalid value"):
        traveller.tailscale("set", "--exit-node=gate-new")


@both_versions
def test_approving_one_family_approves_both(lab: Lab, approved: None, travellers: Clients, version: str) -> None:
    name = BY_VERSION[version]
    assert lab.server.node(name)["approvedRoutes"] == ["0.0.0.0/0", "::/0"]
    for traveller in travellers.values():
        traveller.eventually(
            lambda peer=traveller.peer: peer(name).get("ExitNodeOption"), f"{name} is offered", within=AT_ONCE
        )


@pytest.mark.parametrize("through", [OLDEST, NEWEST])
@both_versions
def test_a_client_goes_to_the_world_by_its_exit_node_in_both_families(
    approved: None, world: tuple[Mirror, Mirror], gates: Clients, travellers: Clients, version: str, through: str
) -> None:
    traveller, exit_node = travellers[version], gates[BY_VERSION[through]]
    v4, v6 = world
    assert v4.seen_from(traveller.machine) == traveller.machine.address
    assert v6.seen_from(traveller.machine) == ""
    traveller.tailscale("set", f"--exit-node={exit_node.name}")
    address = exit_node.machine.address
    traveller.eventually(lambda: v4.seen_from(traveller.machine) == address, "IPv4 goes by it", within=AT_ONCE)
    traveller.eventually(lambda: v6.seen_from(traveller.machine) == ipv6_of(address), "IPv6 too", within=AT_ONCE)
    traveller.tailscale("set", "--exit-node=")
    traveller.eventually(
        lambda: v4.seen_from(traveller.machine) == traveller.machine.address, "it goes by itself", within=AT_ONCE
    )


@both_versions
def test_without_the_internet_in_its_rules_a_client_is_offered_no_exit_node(
    lab: Lab, approved: None, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    near, far = [*OWNERS], [*OWNERS, "autogroup:internet"]
    lab.server.set_policy({**ALL, "grants": [{"src": ["lab@"], "dst": near, "ip": ["*"]}]})
    traveller.eventually(
        lambda: not any(traveller.peer(name).get("ExitNodeOption") for name in BY_VERSION.values()),
        "none is offered",
        within=AT_ONCE,
    )
    lab.server.set_policy({**ALL, "grants": [{"src": ["lab@"], "dst": far, "ip": ["*"]}]})
    traveller.eventually(
        lambda: all(traveller.peer(name).get("ExitNodeOption") for name in BY_VERSION.values()),
        "all are offered",
        within=AT_ONCE,
    )


@both_versions
def test_a_rejected_exit_node_is_offered_no_more(lab: Lab, approved: None, travellers: Clients, version: str) -> None:
    traveller, name = travellers[version], BY_VERSION[version]
    lab.server.approve_routes(name)
    traveller.eventually(lambda: not traveller.peer(name).get("ExitNodeOption"), "it is not offered", within=AT_ONCE)
    lab.server.approve_routes(name, "::/0")
    traveller.eventually(lambda: traveller.peer(name).get("ExitNodeOption"), "it is offered", within=AT_ONCE)


@both_versions
def test_every_exit_node_is_suggested_where_the_policy_names_none(
    lab: Lab, approved: None, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    lab.server.set_policy(ALL)
    traveller.eventually(
        lambda: any(f"{name}." in traveller.tailscale("exit-node", "suggest") for name in BY_VERSION.values()),
        "one of them is suggested",
        within=AT_ONCE,
    )


@both_versions
def test_the_exit_nodes_that_the_policy_names_are_suggested(
    lab: Lab, approved: None, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    for name in BY_VERSION.values():
        suggest(lab, name)
        traveller.eventually(
            lambda name=name: f"{name}." in traveller.tailscale("exit-node", "suggest"), name, within=AT_ONCE
        )
    lab.server.set_policy(ALL)


@both_versions
def test_an_exit_node_that_the_policy_trusts_is_offered_at_once(
    lab: Lab, approved: None, gates: Clients, travellers: Clients, version: str
) -> None:
    traveller, name = travellers[version], BY_VERSION[version]
    lab.server.approve_routes(name)
    gates[name].tailscale("set", "--advertise-exit-node=false")
    lab.server.set_policy({**ALL, "autoApprovers": {"exitNode": [f"tag:{name}"]}})
    traveller.eventually(lambda: not traveller.peer(name).get("ExitNodeOption"), "it is not offered", within=AT_ONCE)
    gates[name].tailscale("set", "--advertise-exit-node")
    traveller.eventually(lambda: traveller.peer(name).get("ExitNodeOption"), "it is offered", within=AT_ONCE)
    assert lab.server.node(name)["approvedRoutes"] == ["0.0.0.0/0", "::/0"]
    lab.server.set_policy(ALL)


def test_a_client_may_leave_the_choice_of_its_exit_node_to_the_suggestion(
    lab: Lab, approved: None, world: tuple[Mirror, Mirror], gates: Clients, travellers: Clients
) -> None:
    traveller, name = travellers[NEWEST], BY_VERSION[NEWEST]
    suggest(lab, name)
    traveller.tailscale("set", "--exit-node=auto:any")
    address = gates[name].machine.address
    traveller.eventually(lambda: world[0].seen_from(traveller.machine) == address, "it goes by it", within=AT_ONCE)
    traveller.tailscale("set", "--exit-node=")


@both_versions
def test_an_exit_node_on_a_machine_that_does_not_forward_says_so(lab: Lab, version: str) -> None:
    machine = lab.network.machine(f"closed-{BY_VERSION[version]}")
    machine.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    client = lab.client_on(machine, version)
    flags = ("--login-server", lab.server.url, "--auth-key", lab.server.auth_key(), "--advertise-exit-node")
    words = machine.run("sh", "-c", '"$@" 2>&1', "-", *client.argv("up", *flags), deadline=UP_DEADLINE)
    assert "IP forwarding is disabled" in words
