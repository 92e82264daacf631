"""What comes over from every generation of Headscale's schema."""

from datetime import UTC, datetime

from msgspec.structs import asdict

from hatsize.importing.configuration import Configuration
from hatsize.importing.findings import Kind
from hatsize.importing.plan import plan_of
from hatsize.importing.terms import Terms
from hatsize.tailnet.model import CredentialKind, Identity
from hatsize.tailnet.secrets import matches

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def part(record, *names):
    fields = asdict(record)
    return {name: fields[name] for name in names}


def told(plan, kind=None):
    return [f"{each.what}: {each.text}" for each in plan.findings.told if kind in (None, each.kind)]


def test_namespaces_become_users_and_machines_nodes(planned):
    plan = planned("namespaces-and-machines")
    assert [part(user, "id", "name", "created") for user in plan.users] == [
        {"id": 1, "name": "anna", "created": datetime(2022, 5, 1, 8, 0, 0, 123456, tzinfo=UTC)}
    ]
    (node,) = plan.nodes
    assert part(node, "id", "stable_id", "machine_key", "node_key", "disco_key", "given_name", "user_id", "tags") == {
        "id": 3, "stable_id": "3", "machine_key": "mkey:" + "a" * 64, "node_key": "nodekey:" + "b" * 64,
        "disco_key": "discokey:" + "c" * 64, "given_name": "laptop-abc", "user_id": 1, "tags": (),
    }  # fmt: skip
    assert (node.ipv4, node.ipv6) == ("100.64.0.3", "fd7a:115c:a1e0::3")
    assert (node.approved_routes, node.endpoints) == (("10.1.0.0/16",), ("192.0.2.7:41641",))
    assert (node.key_expiry, node.register_method, node.auth_key_id) == (None, "authkey", 1)
    assert (node.hostinfo.OS, node.advertised_routes) == ("linux", ("10.1.0.0/16",))


def test_keys_in_plain_text_are_kept_as_hashes_and_found_by_a_quarter_of_themselves(planned):
    (key,) = planned("namespaces-and-machines").auth_keys
    secret = "0123456789abcdef" * 3
    assert (key.prefix, key.hash[:8]) == ("0123456789ab", "blake2b:")
    assert matches(key, secret)
    assert (key.reusable, key.uses, key.tags) == (True, 1, ("tag:box", "tag:lab"))


def test_a_key_of_a_user_who_is_gone_stays_behind(planned):
    assert "auth key 2: its user 2 is gone: make a new key" in told(planned("namespaces-and-machines"), Kind.LEFT_OUT)


def test_enabled_routes_of_their_own_table_are_approved(planned):
    plan = planned("users-and-machines")
    (node,) = plan.nodes
    assert node.approved_routes == ("10.7.0.0/16", "0.0.0.0/0")
    assert (node.tags, node.key_expiry) == (("tag:router",), None)
    assert (node.ipv4, node.ipv6) == ("100.64.0.7", "fd7a:115c:a1e0::7")
    assert told(plan, Kind.CHANGED) == ["node 7 (router): its route 'not a prefix' is no prefix: comes over without"]


def test_profiles_and_identities_come_over(planned):
    plan = planned("users-with-profiles")
    anna, local, nameless = plan.users
    assert part(anna, "name", "display_name", "email", "picture_url", "identities") == {
        "name": "anna", "display_name": "Anna", "email": "anna@example.com",
        "picture_url": "https://id.example.com/anna.png", "identities": (Identity("oidc", "4f-2"),),
    }  # fmt: skip
    assert (local.name, local.identities) == ("anna-2", ())
    assert (nameless.id, nameless.name, nameless.identities) == (5, "only@example.com", (Identity("oidc", "sub-5"),))
    assert "user 2 (anna): another user has this name: is anna-2 now" in told(plan)


def test_a_node_that_came_by_an_ephemeral_key_is_ephemeral(planned):
    plan = planned("users-with-profiles")
    assert (plan.nodes[0].ephemeral, plan.nodes[0].approved_routes) == (True, ("10.1.0.0/16",))
    assert plan.nodes[0].key_expiry == datetime(2034, 5, 1, 10, tzinfo=UTC)


def test_the_newest_policy_comes_over_to_the_letter(planned):
    plan = planned("users-with-profiles")
    assert plan.policy.document == '{"acls":[{"action":"accept","src":["*"],"dst":["*:*"]}]} // all'
    assert "policy: 1 older versions stay behind" in told(plan)


def test_damaged_rows_come_over_as_well_as_can_be_and_are_named(planned):
    plan = planned("damaged")
    assert [user.created for user in plan.users] == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert [key.tags for key in plan.auth_keys] == [("tag:ok",)]
    assert plan.api_keys == []
    first = plan.nodes[0]
    assert (first.given_name, first.user_id, first.ipv4, first.ipv6) == ("buro-pc", 1, "100.64.0.1", None)
    assert (first.approved_routes, first.endpoints, first.key_expiry) == (("10.0.0.0/8",), (), None)
    assert [node.id for node in plan.nodes] == [1, 2, 5]
    assert {line.partition(":")[0] for line in told(plan, Kind.LEFT_OUT)} == {
        "auth key 2", "auth key 3", "API key 1 (abcdefg)", "node 3 (c)", "node 4 (d)",
    }  # fmt: skip
    assert any(line.startswith("user 1 (anna): created_at cannot be read") for line in told(plan))


def of(tables, tmp_path):
    return plan_of(tables, Configuration({}, tmp_path / "config.yaml"), Terms(NOW))


def test_nodes_whose_auth_key_is_missing_come_over(released, tmp_path):
    plan = of(released("failing-node-preauth-constraint_dump"), tmp_path)
    assert [(node.id, node.auth_key_id) for node in plan.nodes] == [(number, None) for number in range(1, 7)]
    assert plan.nodes[0].tags == ("tag:sshclient", "tag:ssh")
    assert plan.nodes[0].given_name == "given_name1"
    assert "node 1 (given_name1): the auth key 0 it came by is not there: comes over without" in told(plan)
    assert [key.prefix for key in plan.api_keys] == ["hFKcRjLyfw", "88Wbitubag"]
    assert all(key.kind is CredentialKind.API_KEY and key.hash.startswith("bcrypt:$2a$10$") for key in plan.api_keys)


def test_tags_that_are_the_literal_null_are_none_and_the_owner_stays(released, tmp_path):
    plan = of(released("null_tags_user_id_migration_test"), tmp_path)
    assert [(node.user_id, node.tags) for node in plan.nodes] == [(2, ()), (1, ("tag:server",)), (1, ()), (1, ())]
    assert told(plan, Kind.CHANGED) == ["node 1 (node1): tags is the JSON literal null: taken for none"]


def test_a_server_without_anything_in_it_comes_over(released, tmp_path):
    plan = of(released("headscale_0.26.1_dump"), tmp_path)
    assert not plan.users and not plan.nodes and not plan.auth_keys  # noqa: PT018 - one thing: nothing
