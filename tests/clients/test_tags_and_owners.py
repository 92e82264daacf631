"""Whose a node is: a user's, another user's, or nobody's because it is tagged; rules and profiles follow at once."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab

AT_ONCE = 10.0
Clients = dict[str, Client]
POLICY = {
    "groups": {"group:ops": ["alice@"]},
    "tagOwners": {"tag:web": ["group:ops"], "tag:db": []},
    "grants": [
        {"src": ["alice@"], "dst": ["tag:web"], "ip": ["*"]},
        {"src": ["bob@"], "dst": ["bob@"], "ip": ["*"]},
    ],
}
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """Two machines of alice's, one of an old and one of a new version, and one of bob's."""
    for user in ("alice", "bob"):
        lab.server.user(user)
    lab.server.set_policy(POLICY)
    mine = [lab.client("laptop-old", OLDEST), lab.client("laptop-new", NEWEST)]
    lab.join(*mine, key=lab.server.auth_key("alice"))
    his = lab.client("desk")
    lab.join(his, key=lab.server.auth_key("bob"))
    return {client.name: client for client in (*mine, his)}


def owner(viewer: Client, name: str) -> str:
    """The login name that a client shows for a peer's owner."""
    profiles: dict[str, Any] = viewer.status()["User"]
    return str(profiles[str(viewer.peer(name)["UserID"])]["LoginName"])


def at_once(client: Client, attempt: Callable[[], object], what: str) -> None:
    client.eventually(attempt, what, within=AT_ONCE)


def named(version: str, what: str) -> str:
    return f"{what}-{version.replace('.', '-')}"


def other_laptop(version: str) -> str:
    """Alice's machine of the other version than this one."""
    return "laptop-new" if version == OLDEST else "laptop-old"


@both_versions
def test_a_tagged_key_makes_a_node_of_nobody(lab: Lab, clients: Clients, version: str) -> None:
    name = named(version, "web")
    lab.join(lab.client(name, version), key=lab.server.auth_key("alice", "--tags", "tag:web"))
    viewer = clients["laptop-new"]
    viewer.reach(name)
    assert owner(viewer, name) == "tagged-devices"
    assert viewer.peer(name)["Tags"] == ["tag:web"]
    assert not clients["desk"].peer(name)


@both_versions
def test_a_client_takes_a_tag_that_its_user_owns(lab: Lab, clients: Clients, version: str) -> None:
    client = lab.client(named(version, "own"), version)
    client.up(lab.server.url, lab.server.auth_key("alice"), "--advertise-tags=tag:web")
    assert client.status()["Self"]["Tags"] == ["tag:web"]
    clients["laptop-old"].reach(client.name)


@both_versions
@pytest.mark.parametrize(("user", "tag"), [("bob", "tag:web"), ("alice", "tag:unheard-of")])
def test_a_tag_that_its_user_does_not_own_is_refused_in_words(
    lab: Lab, clients: Clients, user: str, tag: str, version: str
) -> None:
    client = lab.client(named(version, f"refused-{user}"), version)
    with pytest.raises(AssertionError, match=f"requested tags.*{tag}.*not permitted"):
        client.up(lab.server.url, lab.server.auth_key(user), f"--advertise-tags={tag}")
    assert client.name not in {node["givenName"] for node in lab.server.nodes()}


@both_versions
def test_a_tag_given_by_the_administrator_counts_at_once(lab: Lab, clients: Clients, version: str) -> None:
    bobs, laptop = lab.client(named(version, "bobs"), version), clients[other_laptop(version)]
    lab.join(bobs, key=lab.server.auth_key("bob"))
    assert not laptop.peer(bobs.name)
    lab.server.cli("nodes", "tag", "-i", lab.server.node_id(bobs.name), "-t", "tag:web")
    laptop.wait_peer(bobs.name, within=AT_ONCE)
    laptop.reach(bobs.name)
    at_once(bobs, lambda: bobs.status()["Self"].get("Tags") == ["tag:web"], "it knows its tag")
    assert owner(laptop, bobs.name) == "tagged-devices"


def test_a_tag_the_policy_does_not_know_is_refused_in_words(lab: Lab, clients: Clients) -> None:
    with pytest.raises(CommandError, match=r"tag:nobody.*tagOwners"):
        lab.server.cli("nodes", "tag", "-i", lab.server.node_id("desk"), "-t", "tag:nobody")


@both_versions
def test_a_node_moved_to_another_user_is_theirs_at_once(lab: Lab, clients: Clients, version: str) -> None:
    mover, stayer = lab.client(named(version, "mover"), version), lab.client(named(version, "stayer"), version)
    lab.join(mover, key=lab.server.auth_key("alice"))
    lab.join(stayer, key=lab.server.auth_key("bob"))
    addresses = mover.addresses()
    assert not stayer.peer(mover.name)
    lab.server.cli("nodes", "move", "-i", lab.server.node_id(mover.name), "-u", lab.server.user("bob"))
    stayer.wait_peer(mover.name, within=AT_ONCE)
    stayer.reach(mover.name)
    assert owner(stayer, mover.name) == "bob@"
    mover.wait_state("Running")
    assert mover.addresses() == addresses
    own = mover.status()
    assert own["User"][str(own["Self"]["UserID"])]["LoginName"] == "bob@"


@both_versions
def test_a_login_as_another_user_is_another_node(lab: Lab, clients: Clients, version: str) -> None:
    client = lab.client(named(version, "changer"), version)
    lab.join(client, key=lab.server.auth_key("alice"))
    before = lab.server.node(client.name)
    url = client.begin_web_login(lab.server.url, "--force-reauth")
    lab.server.register(url, user="bob")
    client.end_login()
    client.wait_state("Running")
    after = next(node for node in lab.server.nodes() if set(node["ipAddresses"]) == set(client.addresses()))
    assert after["user"]["name"] == "bob"
    assert after["id"] != before["id"]
    assert lab.server.node(client.name)["user"]["name"] == "alice", "the former one waits for its user to come back"


@both_versions
def test_a_tagged_node_that_logs_in_without_a_tag_is_its_users_again(lab: Lab, clients: Clients, version: str) -> None:
    client = lab.client(named(version, "untagged"), version)
    client.up(lab.server.url, lab.server.auth_key("alice"), "--advertise-tags=tag:web")
    before = lab.server.node(client.name)
    url = client.begin_web_login(lab.server.url, "--force-reauth", "--advertise-tags=")
    lab.server.register(url, user="alice")
    client.end_login()
    client.wait_state("Running")
    after = lab.server.node(client.name)
    assert (after["id"], after["ipAddresses"]) == (before["id"], before["ipAddresses"])
    assert (after["tags"], after["user"]["name"]) == ([], "alice")
