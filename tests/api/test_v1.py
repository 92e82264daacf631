"""API v1 beyond the recorded answers: exact bytes, bad input, and what each operation does."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.api.schema import go_time
from hatsize.tailnet.model import Change, Credential, Node, Tailnet

pytestmark = pytest.mark.anyio
AUTH_ID = "hskey-authreq-" + "ab" * 12


async def answer(api, method, path, body=None):
    response = await api(method, f"/api/v1/{path}", body)
    return response.status_code, await response.get_json()


async def joined(live, api, tags=(), routes=()) -> int:
    live.add_users("alice")
    body = {"user": "1", "aclTags": list(tags), "reusable": True}
    await api("POST", "/api/v1/preauthkey", body)
    return live.join("node-a", live.state.get(Credential, 1), routes)


async def test_fields_come_in_headscales_order_and_end_with_a_newline(live, api):
    response = await api("POST", "/api/v1/user", '{"name":"alice","displayName":"Alïce <3"}')
    assert await response.get_data() == (
        b'{"user":{"id":"1","name":"alice","createdAt":"2026-03-04T05:06:07.12Z",'
        b'"displayName":"Al\xc3\xafce <3","email":"","providerId":"","provider":"","profilePicUrl":""}}\n'
    )
    assert response.content_type == "application/json"


async def test_a_key_that_does_not_expire_is_shown_with_gos_zero_time(live, api):
    live.add_users("alice")
    _, body = await answer(api, "POST", "preauthkey", {"user": "1"})
    assert body["preAuthKey"]["expiration"] == go_time(None) == "0001-01-01T00:00:00Z"


async def test_the_secret_is_told_once_and_masked_from_then_on(live, api):
    live.add_users("alice")
    _, made = await answer(api, "POST", "preauthkey", {"user": "1", "expiration": "2026-05-01T02:00:00+02:00"})
    _, listed = await answer(api, "GET", "preauthkey")
    assert made["preAuthKey"]["key"].startswith("tskey-auth-")
    assert listed["preAuthKeys"][0]["key"] == made["preAuthKey"]["key"].rpartition("-")[0] + "-***"
    assert listed["preAuthKeys"][0]["expiration"] == "2026-05-01T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (None, 400, "body is required"),
        ("{", 400, "not JSON"),
        ("\udcff".encode("utf-8", "surrogateescape"), 400, "not JSON"),
        ("[" * 100_000, 422, "array"),
        ('{"user":1}', 422, "$.user"),
        ('{"reuseable":true}', 422, "reuseable"),
        ('{"expiration":"tomorrow"}', 422, "$.expiration"),
        ('{"expiration":"2026-05-01T00:00:00"}', 422, "timezone"),
        ('{"user":"-1"}', 400, "id of a user"),
        ('{"user":"99999999999999999999"}', 400, "id of a user"),
        ('{"aclTags":["server"]}', 400, "tag:"),
    ],
)
async def test_a_bad_body_is_told_what_is_wrong(api, body, status, told):
    got, problem = await answer(api, "POST", "preauthkey", body)
    assert (got, problem["status"]) == (status, status)
    assert told in problem["detail"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    raw=st.binary() | st.text() | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
async def test_any_body_gets_an_answer_and_never_an_error_of_the_servers(api, raw):
    response = await api("POST", "/api/v1/preauthkey", raw)
    assert response.status_code in {400, 422}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "", 404),
        ("DELETE", "user", 405),
        ("GET", "node/1/expire", 405),
        ("PUT", "x/y", 404),
    ],
)
async def test_what_is_no_operation_is_told_where_they_are_listed(api, method, path, status):
    got, problem = await answer(api, method, path)
    assert got == status
    assert "/api/v1/" in problem["detail"]


async def test_an_error_of_the_servers_own_shows_no_more_than_its_id(live, api, monkeypatch, caplog):
    async def broken(_):
        raise RuntimeError("the inner workings")

    monkeypatch.setattr(live, "run", broken)
    got, problem = await answer(api, "POST", "user", {"name": "alice"})
    assert got == 500
    assert "inner" not in str(problem)
    assert [record.bug for record in caplog.records] == [problem["detail"].partition("bug=")[2].split()[0]]


async def test_a_tagged_node_is_nobodys_but_listed_under_the_tagged_devices(live, api):
    number = await joined(live, api, tags=["tag:server"])
    _, one = await answer(api, "GET", f"node/{number}")
    _, all_of_them = await answer(api, "GET", "node")
    assert one["node"]["user"] is None
    assert one["node"]["preAuthKey"]["user"]["name"] == "alice"
    assert all_of_them["nodes"][0]["user"]["id"] == "2147455555"
    assert (await answer(api, "GET", "node?user=alice"))[1] == {"nodes": []}


async def test_a_node_is_shown_online_with_the_routes_it_serves(live, api):
    number = await joined(live, api, routes=["10.0.0.0/24"])
    live.online.add(number)
    _, body = await answer(api, "POST", f"node/{number}/approve_routes", {"routes": ["10.0.0.0/24", "::/0"]})
    shown = body["node"]
    assert shown["online"]
    assert shown["availableRoutes"] == shown["subnetRoutes"] == ["10.0.0.0/24"]
    assert shown["approvedRoutes"] == ["0.0.0.0/0", "10.0.0.0/24", "::/0"]


@pytest.mark.parametrize(
    ("body", "expiry"),
    [
        (None, "2026-03-04T05:"),
        ({}, "2026-03-04T05:"),
        ({"expiry": "2027-01-01T01:00:00+01:00"}, "2027-01-01T00:00:00Z"),
        ({"disableExpiry": True}, ""),
    ],
)
async def test_a_node_expires_now_or_at_a_time_or_never(live, api, body, expiry):
    number = await joined(live, api)
    status, shown = await answer(api, "POST", f"node/{number}/expire", body)
    assert status == 200
    assert (shown["node"]["expiry"] or "").startswith(expiry)
    assert bool(shown["node"]["expiry"]) == bool(expiry)


async def test_expiring_at_a_time_and_never_at_once_is_refused(live, api):
    both = {"expiry": "2027-01-01T00:00:00Z", "disableExpiry": True}
    assert (await answer(api, "POST", f"node/{await joined(live, api)}/expire", both))[0] == 400


async def test_a_node_that_waits_for_approval_is_shown_as_such_until_it_is_approved(live, api):
    _, key = await answer(api, "POST", "preauthkey", {"aclTags": ["tag:a"], "preapproved": False})
    assert not live.state.get(Credential, int(key["preAuthKey"]["id"])).preauthorized
    number = await joined(live, api)
    assert "authorized" not in (await answer(api, "GET", f"node/{number}"))[1]["node"]
    held = replace(live.state.get(Node, int(number)), authorized=False)
    await live.run(lambda _: Change(tailnet=1, kind="node.updated", puts=(held,), at=live.clock()))
    assert (await answer(api, "GET", f"node/{number}"))[1]["node"]["authorized"] is False
    for _ in range(2):
        status, body = await answer(api, "POST", f"node/{number}/approve")
        assert (status, body["node"].get("authorized")) == (200, None)


async def test_what_a_client_says_is_wrong_is_shown_with_its_node(live, api):
    number = await joined(live, api)
    assert "warnings" not in (await answer(api, "GET", f"node/{number}"))[1]["node"]
    live.complaints[number] = ["IP forwarding is off"]
    assert (await answer(api, "GET", f"node/{number}"))[1]["node"]["warnings"] == ["IP forwarding is off"]


async def test_a_node_is_given_an_address_of_choice(live, api):
    number = await joined(live, api)
    live.addresses = lambda _state, node: (node.ipv4, node.ipv6)
    status, body = await answer(api, "POST", f"node/{number}/addresses", {"addresses": ["100.64.7.7"]})
    assert (status, body["node"]["ipAddresses"]) == (200, ["100.64.7.7"])
    assert (await answer(api, "POST", f"node/{number}/addresses", {"addresses": ["100.64.7.7"]}))[0] == 200
    assert (await answer(api, "POST", f"node/{number}/addresses", {"addresses": ["desk"]}))[0] == 400


async def test_messages_are_put_listed_and_deleted(live, api):
    number = await joined(live, api)
    tailnet = Tailnet(id=1, name="net", created=live.clock())
    await live.run(lambda _: Change(tailnet=1, kind="tailnet.created", puts=(tailnet,), at=live.clock()))
    sent = {"title": "Repairs", "text": "Tonight", "nodes": [str(number)]}
    status, body = await answer(api, "PUT", "message/repairs", sent)
    shown = {"id": "repairs", **sent, "severity": "medium", "url": "", "label": ""}
    assert (status, body) == (200, {"message": shown})
    assert (await answer(api, "GET", "message"))[1] == {"messages": [shown]}
    assert (await answer(api, "PUT", "message/repairs", {**sent, "severity": "fatal"}))[0] == 400
    assert (await answer(api, "PUT", "message/repairs", {**sent, "nodes": ["77"]}))[0] == 404
    assert await answer(api, "DELETE", "message/repairs") == (200, {})
    assert (await answer(api, "DELETE", "message/repairs"))[0] == 404


async def test_a_node_is_pinged_or_pings_another_one(live, api):
    number = await joined(live, api)
    assert (await answer(api, "POST", f"node/{number}/ping"))[0] == 504
    live.online.add(number)
    assert await answer(api, "POST", f"node/{number}/ping") == (200, {"milliseconds": 12.346, "path": ""})
    other = live.join("other", live.state.get(Credential, 1))
    address = replace(live.state.get(Node, other), ipv4="100.64.0.9")
    await live.run(lambda _: Change(tailnet=1, kind="node.updated", puts=(address,), at=live.clock()))
    _, pinged = await answer(api, "POST", f"node/{number}/ping", {"to": str(other)})
    assert pinged == {"milliseconds": 12.346, "path": "to 100.64.0.9"}
    assert (await answer(api, "POST", f"node/{number}/ping", {"to": "77"}))[0] == 404


async def test_a_node_is_renamed_moved_and_removed(live, api):
    number = await joined(live, api)
    live.add_users("bob")
    _, renamed = await answer(api, "POST", f"node/{number}/rename/desk")
    _, moved = await answer(api, "POST", f"node/{number}/user", {"user": "2"})
    assert (renamed["node"]["givenName"], renamed["node"]["name"]) == ("desk", "node-a")
    assert moved["node"]["user"]["name"] == "bob"
    assert await answer(api, "DELETE", f"node/{number}") == (200, {})
    assert not live.state.table(Node)


async def test_tags_the_policy_knows_are_set(live, api):
    number = await joined(live, api)
    await answer(api, "PUT", "policy", {"policy": '{"tagOwners":{"tag:server":[]}}'})
    status, body = await answer(api, "POST", f"node/{number}/tags", {"tags": ["tag:server"]})
    assert (status, body["node"]["tags"]) == (200, ["tag:server"])


async def test_addresses_are_given_where_they_lack(live, api, monkeypatch):
    number = await joined(live, api)
    assert await answer(api, "POST", "node/backfillips?confirmed=true") == (200, {"changes": []})
    monkeypatch.setattr(live, "addresses", lambda *_: ("100.64.0.1", None))
    _, body = await answer(api, "POST", "node/backfillips?confirmed=1")
    assert body == {"changes": [f"IPv4 of node {number} (node-a): none to 100.64.0.1"]}
    assert (await answer(api, "POST", "node/backfillips?confirmed=perhaps"))[0] == 422


async def test_a_registration_made_by_hand_is_completed(live, api):
    live.add_users("alice")
    made = {"user": "alice", "key": AUTH_ID, "name": "dbg", "routes": ["10.0.0.0/24"]}
    status, body = await answer(api, "POST", "debug/node", made)
    assert status == 200
    assert body["node"]["registerMethod"] == "REGISTER_METHOD_UNSPECIFIED"
    assert body["node"]["expiry"] == body["node"]["lastSeen"] == "0001-01-01T00:00:00Z"
    assert body["node"]["availableRoutes"] == ["10.0.0.0/24"]
    _, body = await answer(api, "POST", "auth/register", {"user": "alice", "authId": AUTH_ID})
    assert (body["node"]["givenName"], body["node"]["registerMethod"]) == ("dbg", "REGISTER_METHOD_CLI")
    assert (await answer(api, "POST", "auth/register", {"user": "alice", "authId": AUTH_ID}))[0] == 404


async def test_a_policy_from_a_file_is_shown_but_not_saved(live, api):
    live.policy.read_only = "the policy comes from a file: change it there"
    status, problem = await answer(api, "PUT", "policy", {"policy": "{}"})
    assert (status, problem["detail"]) == (400, live.policy.read_only)


async def test_health_follows_the_storage(live, api):
    assert await answer(api, "GET", "health") == (200, {"databaseConnectivity": True})
    live.storage_problem_is = "the disk is full"
    told = {"databaseConnectivity": False, "warnings": ["storage: the disk is full"]}
    assert await answer(api, "GET", "health") == (200, told)


async def test_a_policy_is_previewed_for_the_tailnet_as_it_is(live, api):
    await joined(live, api)
    status, body = await answer(api, "POST", "policy/preview", {"policy": '{"grants": []}'})
    assert status == 200
    assert set(body["nodes"]["node-a"]) == {"packet_filter_rules", "ssh_rules", "peers", "cap_map"}
    assert live.policy.current() is None
    assert (await answer(api, "POST", "policy/preview", {"policy": "{"}))[0] == 400


async def test_consoles_of_before_keys_had_ids_expire_a_key_by_what_is_listed(live, api):
    live.add_users("alice")
    await answer(api, "POST", "preauthkey", {"user": "1"})
    _, listed = await answer(api, "GET", "preauthkey")
    key = listed["preAuthKeys"][0]["key"]
    assert (await answer(api, "POST", "preauthkey/expire", {"user": 1, "key": key}))[0] == 200
    assert live.state.get(Credential, 1).expires is not None
    assert (await answer(api, "POST", "preauthkey/expire", {"user": "1", "key": "nothing-there"}))[0] == 404


@pytest.mark.parametrize("user", ["2", 2])
async def test_a_node_is_given_to_a_user_by_their_id_as_text_or_number(live, api, user):
    number = await joined(live, api)
    live.add_users("bob")
    status, body = await answer(api, "POST", f"node/{number}/user", {"user": user})
    assert (status, body["node"]["user"]["name"]) == (200, "bob")
