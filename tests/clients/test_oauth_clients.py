"""The secret of an OAuth client in place of an auth key: the client itself asks API v2 for a key, and joins by it."""

from typing import Any

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.laboratory import Lab

POLICY = {
    "tagOwners": {"tag:k8s-operator": [], "tag:k8s": ["tag:k8s-operator"], "tag:prod": []},
    "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
}
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def operator(lab: Lab) -> dict[str, Any]:
    """A client that may make auth keys with its tag, and those that its tag owns."""
    lab.server.set_policy(POLICY)
    made: dict[str, Any] = lab.server.cli("oauth-clients", "create", "-s", "auth_keys", "-t", "tag:k8s-operator")
    return made


def as_key(lab: Lab, secret: str, words: str = "ephemeral=false&preauthorized=true") -> str:
    """What is given as --auth-key; without `baseURL` the client would ask the hosted service."""
    return f"{secret}?{words}&baseURL={lab.server.url}"


@both_versions
def test_a_client_joins_by_the_secret_of_an_oauth_client(lab: Lab, operator: dict[str, Any], version: str) -> None:
    node = lab.client(f"pod-{version.replace('.', '-')}", version)
    node.up(lab.server.url, as_key(lab, operator["key"]), "--advertise-tags=tag:k8s")
    node.wait_state("Running")
    assert node.status()["Self"]["Tags"] == ["tag:k8s"]
    listed = lab.server.node(node.name)
    assert (listed["tags"], listed["preAuthKey"]["ephemeral"]) == (["tag:k8s"], False)


def test_without_more_words_the_node_is_ephemeral_and_waits_for_approval(lab: Lab, operator: dict[str, Any]) -> None:
    node = lab.client("waiting")
    node.begin_key_login(lab.server.url, as_key(lab, operator["key"], ""), "--advertise-tags=tag:k8s")
    node.wait_state("NeedsMachineAuth")
    listed = lab.server.node("waiting")
    assert (listed["authorized"], listed["preAuthKey"]["ephemeral"]) == (False, True)
    lab.server.cli("nodes", "approve", "-i", listed["id"])
    node.end_login()


def test_a_tag_that_is_not_the_clients_is_refused_in_words(lab: Lab, operator: dict[str, Any]) -> None:
    node = lab.client("refused")
    with pytest.raises(AssertionError, match="tag:prod is not among the tags of this OAuth client"):
        node.up(lab.server.url, as_key(lab, operator["key"]), "--advertise-tags=tag:prod")


def test_a_removed_client_lets_nobody_in_and_its_nodes_stay(lab: Lab, operator: dict[str, Any]) -> None:
    lab.server.cli("oauth-clients", "delete", "-i", operator["id"], "--force")
    node = lab.client("late")
    with pytest.raises(AssertionError, match="invalid_client"):
        node.up(lab.server.url, as_key(lab, operator["key"]), "--advertise-tags=tag:k8s")
    assert lab.server.is_online("waiting")
