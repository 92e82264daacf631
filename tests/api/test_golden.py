"""Headscale's recorded answers of API v1: every one of them must come out of the same request here.

A case's name says what is asked of which tailnet; what changes from run to run is recorded as `<timestamp>` and
`<secret>`.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hatsize.tailnet.model import Credential

GOLDEN = Path(__file__).parents[3] / "shared" / "api-v1-golden"
CASES = sorted(path.name.removesuffix("_parity.json") for path in GOLDEN.glob("TestAPIV1*_parity.json"))
SECRET = re.compile(r"tskey-(auth|api)-\w+-\*\*\*|(mkey|nodekey|discokey):[0-9a-f]{64}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z")
POLICY = '{"acls":[{"action":"accept","src":["*"],"dst":["*:*"]}]}'
AUTH_ID = "hskey-authreq-" + "0123456789ab" * 2

Call = Callable[..., Awaitable[Any]]


async def key_id(live, api, body: dict[str, Any], *, kind: str = "preauthkey") -> str:
    """Make a key over the API; its id."""
    await api("POST", f"/api/v1/{kind}", body)
    return str(max(key.id for key in live.state.all(Credential)))


async def node(live, api, user: str, hostname: str) -> str:
    """A user with a node that joined by a one-time key without expiration; the node's id."""
    live.add_users(user)
    made = await key_id(live, api, {"user": str(live.state.index.user_by_name[user])})
    return str(live.join(hostname, live.state.get(Credential, int(made))))


async def listed_api_keys(live, api, *bodies: dict[str, Any]):
    for body in bodies:
        await key_id(live, api, body, kind="apikey")
    return await api("GET", "/api/v1/apikey")


async def expire_api_key(live, api, **body: str):
    made = await key_id(live, api, {}, kind="apikey")
    return await api("POST", "/api/v1/apikey/expire", {name: value.format(made) for name, value in body.items()})


async def with_users(live, api, names: str, method: str, path: str, body: Any = None):
    live.add_users(*names.split())
    return await api(method, f"/api/v1/{path}", body)


async def with_node(live, api, method: str, path: str, body: Any = None):
    number = await node(live, api, "alice", "node-a")
    return await api(method, f"/api/v1/{path.format(number)}", body)


async def expire_pre_auth_key(live, api):
    live.add_users("alice")
    return await api("POST", "/api/v1/preauthkey/expire", {"id": await key_id(live, api, {"user": "1"})})


async def register_node(live, api):
    live.add_users("alice")
    live.wait_for_approval(AUTH_ID, "registered-node")
    return await api("POST", f"/api/v1/node/register?user=alice&key={AUTH_ID}")


async def policy_after_set(live, api):
    await api("PUT", "/api/v1/policy", {"policy": POLICY})
    return await api("GET", "/api/v1/policy")


def asked(method: str, path: str, body: Any = None) -> Call:
    """The request alone, of a tailnet with nothing in it."""
    return lambda live, api: with_users(live, api, "", method, path, body)


ZERO = {"expiration": "0001-01-01T00:00:00Z"}

REQUESTS: dict[str, Call] = {
    "ApiKeyDelete_not_found_by_prefix": asked("DELETE", "apikey/doesnotexist"),
    "ApiKeyExpire_both_id_and_prefix": asked("POST", "apikey/expire", {"id": "1", "prefix": "abc"}),
    "ApiKeyExpire_by_id": lambda live, api: expire_api_key(live, api, id="{}"),
    "ApiKeyExpire_neither_id_nor_prefix": asked("POST", "apikey/expire", {}),
    "ApiKeyExpire_not_found_by_id": asked("POST", "apikey/expire", {"id": "999"}),
    "ApiKeyList_nil_timestamps_emitted_as_null": lambda live, api: listed_api_keys(live, api, {}),
    "ApiKeyList_populated": lambda live, api: listed_api_keys(live, api, {}, {}),
    "ApiKeyList_zero_expiration_emitted_as_zero_instant": lambda live, api: listed_api_keys(live, api, ZERO),
    "AuthApprove_no_pending_session": asked("POST", "auth/approve", {"authId": AUTH_ID}),
    "AuthRegister_invalid_auth_id": lambda live, api: with_users(
        live, api, "alice", "POST", "auth/register", {"user": "alice", "authId": "not-an-auth-id"}
    ),
    "AuthRegister_unknown_user": asked("POST", "auth/register", {"user": "ghost", "authId": AUTH_ID}),
    "CreatePreAuthKey_neither_tagged_nor_owned": asked("POST", "preauthkey", {"reusable": True}),
    "CreatePreAuthKey_nonexistent_user": asked("POST", "preauthkey", {"user": "999"}),
    "CreateUser": asked("POST", "user", {"name": "test", "displayName": "Test", "email": "t@example.com"}),
    "CreateUser_duplicate_name": lambda live, api: with_users(live, api, "dup", "POST", "user", {"name": "dup"}),
    "DeletePreAuthKey_invalid_id": asked("DELETE", "preauthkey?id=abc"),
    "DeletePreAuthKey_nonexistent": asked("DELETE", "preauthkey?id=99999"),
    "DeleteUser": lambda live, api: with_users(live, api, "alice", "DELETE", "user/1"),
    "DeleteUser_nonexistent": asked("DELETE", "user/999"),
    "ExpirePreAuthKey": expire_pre_auth_key,
    "ListPreAuthKeys_empty": asked("GET", "preauthkey"),
    "ListUsers_all": lambda live, api: with_users(live, api, "alice bob carol", "GET", "user"),
    "ListUsers_empty": asked("GET", "user"),
    "ListUsers_filter_by_id": lambda live, api: with_users(live, api, "alice bob", "GET", "user?id=2"),
    "ListUsers_filter_by_name": lambda live, api: with_users(live, api, "alice bob", "GET", "user?name=alice"),
    "NodeBackfillIPs_unconfirmed": asked("POST", "node/backfillips"),
    "NodeDelete_invalid_id": asked("DELETE", "node/abc"),
    "NodeExpire_not_found": asked("POST", "node/99999/expire"),
    "NodeGet_happy": lambda live, api: with_node(live, api, "GET", "node/{}"),
    "NodeGet_invalid_id": asked("GET", "node/abc"),
    "NodeList_empty": asked("GET", "node"),
    "NodeList_unknown_user": lambda live, api: with_node(live, api, "GET", "node?user=nope"),
    "NodeRegister_happy": register_node,
    "NodeRegister_unknown_user": asked("POST", f"node/register?user=nope&key={AUTH_ID}"),
    "NodeRename_invalid_id": asked("POST", "node/abc/rename/whatever"),
    "NodeRename_not_found": asked("POST", "node/99999/rename/whatever"),
    "NodeSetApprovedRoutes_invalid_id": asked("POST", "node/abc/approve_routes", {"routes": []}),
    "NodeSetApprovedRoutes_not_found": asked("POST", "node/99999/approve_routes", {"routes": ["10.0.0.0/24"]}),
    "NodeSetTags_not_found": asked("POST", "node/99999/tags", {"tags": ["tag:foo"]}),
    "NodeSetTags_unauthorized_tag": lambda live, api: with_node(
        live, api, "POST", "node/{}/tags", {"tags": ["tag:server"]}
    ),
    "PolicyCheck_invalid": asked("POST", "policy/check", {"policy": '{"acls": ['}),
    "PolicyCheck_valid": asked("POST", "policy/check", {"policy": POLICY}),
    "PolicyGet_empty": asked("GET", "policy"),
    "PolicyGet_set": policy_after_set,
    "PolicySet_invalid": asked("PUT", "policy", {"policy": '{"acls": ['}),
    "PolicySet_valid": asked("PUT", "policy", {"policy": POLICY}),
    "RenameUser": lambda live, api: with_users(live, api, "alice", "POST", "user/1/rename/bob"),
    "RenameUser_nonexistent": asked("POST", "user/999/rename/bob"),
}


def recorded(value: Any) -> Any:
    """A value as the recordings have it."""
    if isinstance(value, dict):
        return {key: recorded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [recorded(item) for item in value]
    if isinstance(value, str) and SECRET.fullmatch(value):
        return "<secret>"
    if isinstance(value, str) and TIMESTAMP.fullmatch(value):
        return "<timestamp>"
    return value


@pytest.mark.skipif(not CASES, reason="the recorded answers are not beside this repository (../shared/api-v1-golden)")
def test_there_is_a_request_for_each_recorded_answer():
    assert {name.removeprefix("TestAPIV1") for name in CASES} <= set(REQUESTS)


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES or [pytest.param("", marks=pytest.mark.skip("no recorded answers here"))])
async def test_the_answer_is_the_recorded_one(live, api, case):
    expected = json.loads((GOLDEN / f"{case}_parity.json").read_text())
    response = await REQUESTS[case.removeprefix("TestAPIV1")](live, api)
    body = json.loads(await response.get_data())
    assert response.status_code == expected["status"], body
    if response.status_code == 200:
        assert recorded(body) == expected["body"]
    else:
        assert response.content_type == "application/problem+json"
        assert body["status"] == expected["status"]
        assert body["detail"]
