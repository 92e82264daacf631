"""API v1: the neighbours of the recorded answers, as Headscale answers them: errors and edges of each operation."""

import pytest

from hatsize.tailnet.model import Credential

pytestmark = pytest.mark.anyio
AUTH_ID = "hskey-authreq-" + "ab" * 12
POLICY = '{"acls": [], "tagOwners": {"tag:known": []}}'
FORGED = "hskey-authreq-" + "cd" * 12


@pytest.fixture
async def ask(live, api):
    """Asks of a tailnet with the users alice and bob, a node of alice's, a login that waits, an API key, a policy."""

    async def ask(method, path, body=None):
        response = await api(method, f"/api/v1/{path}", body)
        return response.status_code, await response.get_json()

    live.add_users("alice", "bob")
    await ask("POST", "preauthkey", {"user": "1", "reusable": True})
    live.join("desk", live.state.get(Credential, 1), routes=["10.0.0.0/24", "0.0.0.0/0", "::/0"])
    await ask("POST", "apikey", {})
    await ask("PUT", "policy", {"policy": POLICY})
    live.wait_for_approval(AUTH_ID, "waiting")
    return ask


REFUSED = [
    ("POST", "apikey", {"expiration": "soon"}, 422),
    ("POST", "apikey/expire", {"id": "x"}, 400),
    ("POST", "apikey/expire", {"id": "0"}, 400),
    ("POST", "apikey/expire", {"prefix": "nothing"}, 404),
    ("POST", "apikey/expire", {"id": "1"}, 404),  # an auth key's
    ("DELETE", "apikey/abc?id=2", None, 400),
    ("DELETE", "apikey/abc?id=x", None, 400),
    ("POST", "preauthkey", {"user": "x"}, 400),
    ("POST", "preauthkey", {"user": "1", "aclTags": ["known"]}, 400),
    ("POST", "preauthkey", {"user": "1", "aclTags": ["tag:Known"]}, 400),
    ("POST", "preauthkey", {"user": "1", "aclTags": ["tag:a b"]}, 400),
    ("POST", "preauthkey", {"user": "0"}, 400),
    ("POST", "preauthkey/expire", {}, 404),
    ("POST", "preauthkey/expire", {"id": "999"}, 404),
    ("POST", "preauthkey/expire", {"id": "x"}, 400),
    ("POST", "preauthkey/expire", {"id": "2"}, 404),  # an API key's
    ("DELETE", "preauthkey", None, 404),
    ("POST", "auth/register", {"user": "alice", "authId": FORGED}, 404),
    ("POST", "auth/register", {"user": "alice"}, 400),
    ("POST", "auth/approve", {"authId": "x"}, 400),
    ("POST", "auth/approve", {}, 400),
    ("POST", "auth/reject", {"authId": FORGED}, 404),
    ("POST", "auth/reject", {"authId": "x"}, 400),
    ("POST", f"node/register?user=alice&key={FORGED}", None, 404),
    ("POST", "node/register?user=alice&key=x", None, 400),
    ("GET", "node/999", None, 404),
    ("GET", "node/-1", None, 400),
    ("GET", "node/99999999999999999999", None, 400),
    ("DELETE", "node/999", None, 404),
    ("POST", "node/x/expire", None, 400),
    ("POST", "node/1/expire", {"disableExpiry": True, "expiry": "2030-01-01T00:00:00Z"}, 400),
    ("POST", "node/1/expire", {"expiry": "never"}, 422),
    ("POST", "node/1/rename/-no-", None, 400),
    ("POST", "node/x/tags", {"tags": ["tag:known"]}, 400),
    ("POST", "node/1/tags", {"tags": []}, 400),
    ("POST", "node/1/tags", {}, 400),
    ("POST", "node/1/tags", {"tags": ["known"]}, 400),
    ("POST", "node/999/tags", {"tags": []}, 400),
    ("POST", "node/1/approve_routes", {"routes": ["10.0.0.0"]}, 400),
    ("POST", "node/999/approve_routes", {"routes": ["nonsense"]}, 400),
    ("POST", "node/backfillips?confirmed=false", None, 400),
    ("POST", "node/backfillips?confirmed=perhaps", None, 422),
    ("POST", "debug/node", {"user": "nobody", "key": AUTH_ID, "name": "x"}, 404),
    ("POST", "debug/node", {"user": "alice", "key": "x", "name": "x"}, 400),
    ("POST", "debug/node", {"user": "alice", "key": AUTH_ID, "name": "x", "routes": ["x"]}, 400),
    ("POST", "user", {"name": ""}, 400),
    ("POST", "user", {"name": "a b"}, 400),
    ("POST", "user", {}, 400),
    ("GET", "user?id=x", None, 400),
    ("GET", "user?id=x&name=alice", None, 400),
    ("POST", "user/x/rename/carol", None, 400),
    ("POST", "user/1/rename/bob", None, 409),
    ("POST", "user/1/rename/a%20b", None, 400),
    ("DELETE", "user/x", None, 400),
    ("DELETE", "user/1", None, 400),  # owns a node
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
async def test_what_cannot_be_done_is_refused(ask, method, path, body, status):
    got, problem = await ask(method, path, body)
    assert (got, problem["status"]) == (status, status)
    assert problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "user?name=nobody", {"users": []}),
        ("GET", "user?email=nobody@example.com", {"users": []}),
        ("GET", "user?id=999", {"users": []}),
        ("GET", "node?user=bob", {"nodes": []}),
        ("POST", "node/backfillips?confirmed=true", {"changes": []}),
        ("DELETE", "user/2", {}),
        ("DELETE", "node/1", {}),
        ("DELETE", "preauthkey?id=1", {}),
    ],
)
async def test_an_answer_with_nothing_in_it_is_an_empty_one(ask, method, path, answer):
    assert await ask(method, path) == (200, answer)


async def test_id_0_is_no_filter_and_a_name_goes_before_an_e_mail_and_an_id(ask):
    _, everybody = await ask("GET", "user?id=0")
    _, alice = await ask("GET", "user?name=alice&email=x@example.com&id=2")
    assert [user["name"] for user in everybody["users"]] == ["alice", "bob"]
    assert [user["name"] for user in alice["users"]] == ["alice"]


async def test_one_exit_route_is_both_and_routes_come_in_order_and_once(ask):
    _, body = await ask("POST", "node/1/approve_routes", {"routes": ["::/0", "10.0.0.0/24", "10.0.0.0/24"]})
    assert body["node"]["approvedRoutes"] == ["0.0.0.0/0", "10.0.0.0/24", "::/0"]
    _, body = await ask("POST", "node/1/approve_routes", {})
    assert body["node"]["approvedRoutes"] == []


async def test_the_answer_to_an_approval_leaves_exit_routes_out_of_those_served_and_the_list_does_not(ask):
    _, approved = await ask("POST", "node/1/approve_routes", {"routes": ["0.0.0.0/0", "10.0.0.0/24"]})
    assert approved["node"]["subnetRoutes"] == ["10.0.0.0/24"]
    _, listed = await ask("GET", "node")
    assert {"0.0.0.0/0", "::/0", "10.0.0.0/24"} == set(listed["nodes"][0]["subnetRoutes"])


async def test_one_node_is_shown_with_the_routes_it_serves_as_in_the_list(ask):
    await ask("POST", "node/1/approve_routes", {"routes": ["0.0.0.0/0", "10.0.0.0/24"]})
    _, one = await ask("GET", "node/1")
    _, listed = await ask("GET", "node")
    _, renamed = await ask("POST", "node/1/rename/desk")
    assert one["node"]["subnetRoutes"] == listed["nodes"][0]["subnetRoutes"] == renamed["node"]["subnetRoutes"]
    assert "10.0.0.0/24" in one["node"]["subnetRoutes"]


async def test_a_node_expires_now_at_a_moment_or_never(ask):
    for body in (None, {}, {"disableExpiry": False}):
        _, found = await ask("POST", "node/1/expire", body)
        assert found["node"]["expiry"] < "2027"
    _, found = await ask("POST", "node/1/expire", {"expiry": "2030-01-01T02:00:00+02:00"})
    assert found["node"]["expiry"] == "2030-01-01T00:00:00Z"
    _, found = await ask("POST", "node/1/expire", {"disableExpiry": True})
    assert found["node"]["expiry"] is None


async def test_a_key_is_shown_as_ids_of_its_kind_alone(ask):
    _, keys = await ask("GET", "preauthkey")
    _, api_keys = await ask("GET", "apikey")
    assert ([key["id"] for key in keys["preAuthKeys"]], [key["id"] for key in api_keys["apiKeys"]]) == (["1"], ["2"])


async def test_what_was_expired_can_be_expired_again(ask):
    for path, number in (("preauthkey/expire", "1"), ("apikey/expire", "2")):
        for _ in range(2):
            assert await ask("POST", path, {"id": number}) == (200, {})


async def test_a_login_that_was_rejected_waits_no_more(ask):
    assert await ask("POST", "auth/reject", {"authId": AUTH_ID}) == (200, {})
    assert (await ask("POST", "auth/register", {"user": "alice", "authId": AUTH_ID}))[0] == 404


async def test_a_login_is_completed_once(ask):
    status, body = await ask("POST", "auth/register", {"user": "bob", "authId": AUTH_ID})
    assert (status, body["node"]["registerMethod"], body["node"]["user"]["name"]) == (200, "REGISTER_METHOD_CLI", "bob")
    assert (await ask("POST", f"node/register?user=bob&key={AUTH_ID}"))[0] == 404
