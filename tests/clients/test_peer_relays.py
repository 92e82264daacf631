"""Peer relays: a machine that the policy lets relay carries two others that do not reach each other directly."""

import pytest

from tests.clients.lab.binaries import MIDDLE, NEWEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab

PORT = 7777
FOUND_WITHIN = 60.0
GIVEN_UP_WITHIN = 60.0
Clients = dict[str, Client]
ALL = {"src": ["*"], "dst": ["*"], "ip": ["*"]}
RELAY = {"src": ["autogroup:member"], "dst": ["tag:relay"], "app": {"tailscale.com/cap/relay": []}}
OWNERS = {"tag:relay": []}


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """`relay` is on the internet; `hidden` and `hidden-too` are behind routers that let nothing in unasked."""
    lab.server.set_policy({"tagOwners": OWNERS, "grants": [ALL, RELAY]})
    relay = lab.client("relay", NEWEST)
    relay.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:relay"))
    relay.tailscale("set", f"--relay-server-port={PORT}")
    hidden = [lab.client("hidden", MIDDLE, behind_nat=True), lab.client("hidden-too", NEWEST, behind_nat=True)]
    lab.join(*hidden)
    return {client.name: client for client in (relay, *hidden)}


def way(clients: Clients) -> str:
    """The way from one hidden client to the other."""
    return clients["hidden"].path_to("hidden-too")


def test_two_that_do_not_reach_each_other_are_carried_by_the_peer_relay(clients: Clients) -> None:
    relay = f"{clients['relay'].machine.address}:{PORT}"
    clients["hidden"].reach("hidden-too")
    clients["hidden"].eventually(lambda: relay in way(clients), "the peer relay carries", within=FOUND_WITHIN)
    for source, target in (("hidden", "hidden-too"), ("hidden-too", "hidden")):
        clients[source].reach(target)


def test_without_the_grant_the_servers_own_relay_carries_again(lab: Lab, clients: Clients) -> None:
    lab.server.set_policy({"tagOwners": OWNERS, "grants": [ALL]})
    for client in (clients["hidden"], clients["hidden-too"]):
        client.stop()
        client.start()
        client.wait_state("Running")
    clients["hidden"].reach("hidden-too")
    clients["hidden"].eventually(
        lambda: way(clients).startswith("DERP"), "the server's relay carries", within=GIVEN_UP_WITHIN
    )
