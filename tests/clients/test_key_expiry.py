"""Keys that expire by the clock, are renewed by a login, and live for ever where the administrator says so."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

LIFETIME = timedelta(hours=1)
SOON = timedelta(seconds=6)
AT_ONCE = 10.0
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class Expiring(Hatsize):
    """Keys are good for an hour."""

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_NODE_EXPIRY": "1h"}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Expiring) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def witness(lab: Lab) -> Client:
    witness = lab.client("witness")
    lab.server.set_policy({"tagOwners": {"tag:web": []}})
    witness.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:web"))
    return witness


@pytest.fixture(scope="module")
def clients(lab: Lab, witness: Client) -> Clients:
    """One client of each version, by version."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    return clients


def expiry(client: Client) -> datetime | None:
    """When a client takes its key to expire."""
    told = client.status()["Self"].get("KeyExpiry")
    return datetime.fromisoformat(told) if told else None


def lasts(client: Client) -> timedelta:
    at = expiry(client)
    assert at is not None, f"{client.name}'s key never expires"
    return at - datetime.now(UTC)


def expire_in(lab: Lab, client: Client, lifetime: timedelta) -> None:
    at = (datetime.now(UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
    lab.server.cli("nodes", "expire", "-i", lab.server.node_id(client.name), "-e", at)


@both_versions
def test_a_key_is_good_for_as_long_as_the_settings_say(clients: Clients, version: str) -> None:
    """As the client shows it, which rounds to whole seconds."""
    assert -timedelta(seconds=0.5) <= LIFETIME - lasts(clients[version]) < timedelta(minutes=5)


def test_a_tagged_nodes_key_never_expires(witness: Client) -> None:
    assert expiry(witness) is None


@both_versions
def test_at_its_time_a_key_expires_for_the_node_and_for_everybody(
    lab: Lab, clients: Clients, witness: Client, version: str
) -> None:
    client = clients[version]
    address = client.addresses()[0]
    witness.reach(address)
    expire_in(lab, client, SOON)
    assert witness.pings(address), "it is cut off before its time"
    client.wait_state("NeedsLogin", within=SOON.total_seconds() + AT_ONCE)
    witness.eventually(lambda: witness.peer(client.name).get("Expired"), "the peer has expired", within=AT_ONCE)
    assert not witness.pings(address)


@both_versions
def test_a_login_renews_an_expired_key_of_the_same_node(
    lab: Lab, clients: Clients, witness: Client, version: str
) -> None:
    client, before = clients[version], lab.server.node(clients[version].name)
    if client.state() == "Running":
        lab.server.expire(client.name)
        client.wait_state("NeedsLogin", within=AT_ONCE)
    client.up(lab.server.url, lab.server.auth_key(), "--force-reauth")
    client.wait_state("Running")
    after = lab.server.node(client.name)
    assert (after["id"], after["ipAddresses"]) == (before["id"], before["ipAddresses"])
    assert after["nodeKey"] != before["nodeKey"]
    assert LIFETIME - lasts(client) < timedelta(minutes=1)
    witness.reach(client.name)
    assert not witness.peer(client.name).get("Expired")


@both_versions
def test_a_login_before_its_time_renews_a_key_without_a_gap(
    lab: Lab, clients: Clients, witness: Client, version: str
) -> None:
    client = clients[version]
    expire_in(lab, client, timedelta(minutes=10))
    client.eventually(lambda: lasts(client) < timedelta(minutes=11), "it knows the earlier time", within=AT_ONCE)
    client.up(lab.server.url, lab.server.auth_key(), "--force-reauth")
    client.wait_state("Running")
    client.eventually(lambda: lasts(client) > timedelta(minutes=50), "it knows the later time", within=AT_ONCE)
    witness.reach(client.name)


@both_versions
def test_with_expiry_disabled_a_key_never_expires(lab: Lab, clients: Clients, version: str) -> None:
    client = clients[version]
    assert expiry(client)
    lab.server.cli("nodes", "expire", "-i", lab.server.node_id(client.name), "--disable")
    client.eventually(lambda: expiry(client) is None, "it knows that it never expires", within=AT_ONCE)
    assert lab.server.node(client.name)["expiry"] is None
