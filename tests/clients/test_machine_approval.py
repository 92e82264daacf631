"""Machines that an administrator has to let in: held until approved, unless their key is pre-approved."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab

AT_ONCE = 10.0
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def member(lab: Lab) -> Client:
    """In by a pre-approved key, as keys are unless they are made otherwise."""
    member = lab.client("member")
    lab.join(member)
    return member


def test_a_pre_approved_key_lets_a_machine_in_at_once(member: Client) -> None:
    assert member.state() == "Running"


@both_versions
def test_a_key_that_is_not_pre_approved_holds_a_machine_until_it_is_approved(
    lab: Lab, member: Client, version: str
) -> None:
    client = lab.client(f"held-{version.replace('.', '-')}", version)
    client.begin_key_login(lab.server.url, lab.server.auth_key("lab", "--no-preapproved"))
    client.wait_state("NeedsMachineAuth")
    held = lab.server.node(client.name)
    assert held["authorized"] is False
    assert not client.status().get("Peer")
    assert not member.peer(client.name)
    assert not member.pings(held["ipAddresses"][0])
    lab.server.cli("nodes", "approve", "-i", held["id"])
    client.wait_state("Running", within=AT_ONCE)
    client.end_login()
    member.reach(client.name)
    client.reach("member")
    assert "authorized" not in lab.server.node(client.name)


def test_an_approved_machine_that_logs_in_again_need_not_be_approved_again(lab: Lab, member: Client) -> None:
    client = lab.client("again")
    client.begin_key_login(lab.server.url, lab.server.auth_key("lab", "--no-preapproved"))
    client.wait_state("NeedsMachineAuth")
    lab.server.cli("nodes", "approve", "-i", lab.server.node_id("again"))
    client.end_login()
    client.up(lab.server.url, lab.server.auth_key("lab", "--no-preapproved"), "--force-reauth")
    client.wait_state("Running")
    member.reach("again")


@both_versions
def test_an_approval_that_is_taken_back_cuts_a_machine_off_until_it_is_given_again(
    lab: Lab, member: Client, version: str
) -> None:
    client = lab.client(f"doubted-{version.replace('.', '-')}", version)
    lab.join(client)
    member.reach(client.name)
    node, key = lab.server.node(client.name), str(lab.server.cli("apikeys", "create"))
    lab.server.api("POST", f"/device/{node['id']}/authorized", key, {"authorized": False}, version="v2")
    client.wait_state("NeedsMachineAuth", within=AT_ONCE)
    assert not member.pings(node["ipAddresses"][0])
    assert not member.peer(client.name)
    lab.server.api("POST", f"/device/{node['id']}/authorized", key, {"authorized": True}, version="v2")
    client.wait_state("Running", within=AT_ONCE)
    member.reach(client.name)
