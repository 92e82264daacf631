"""API v2: users, what is shown of them, and what is done to them."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.credentials import create_api_key
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node, Role, Suspension, User, UserStatus
from hatsize.tailnet.secrets import mint

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def people(live) -> None:
    """Alice, with a desk and a server of hers that is tagged; and Bob, an administrator."""
    live.add_users("alice", "bob")
    key = Credential(id=1, kind=CredentialKind.AUTH_KEY, prefix="k", hash="", user_id=1, created=live.clock())
    for hostname in ("desk", "web"):
        live.join(hostname, key)
    change(live, replace(live.state.get(Node, 2), tags=("tag:web",)))
    change(live, replace(user(live, 2), role=Role.ADMIN, display_name="Bob B.", picture_url="https://b.example/b.png"))


def change(live, record) -> None:
    live.state.apply(Change(tailnet=1, kind="x", puts=(record,), at=live.clock()))


def user(live, number: int = 1) -> User:
    return live.state.get(User, number)


async def ask(api, method, path, body=None, **how):
    response = await api(method, f"/api/v2/{path}", body, **how)
    told = await response.get_json() if await response.get_data() else None
    return response.status_code, told["message"] if response.status_code >= 400 else told


async def test_a_user_is_shown_as_the_hosted_service_shows_them(api):
    _, shown = await ask(api, "GET", "users/1")
    assert shown == {
        "id": "1",
        "displayName": "alice",
        "loginName": "alice@",
        "profilePicUrl": "",
        "tailnetId": "1",
        "created": "2026-03-04T05:06:07.12Z",
        "type": "member",
        "role": "member",
        "status": "active",
        "deviceCount": 1,
        "lastSeen": "2026-03-04T05:06:10.12Z",
        "currentlyConnected": False,
    }


async def test_who_has_a_device_that_is_on_is_seen_now(live, api):
    live.online.add(2)
    assert (await ask(api, "GET", "users/1"))[1]["currentlyConnected"] is False
    live.online.add(1)
    _, shown = await ask(api, "GET", "users/1")
    assert shown["currentlyConnected"] is True
    assert shown["lastSeen"] > "2026-03-04T05:06:10.12Z"


async def test_who_was_long_away_is_idle_and_who_is_shut_out_is_told_so(live, api):
    ago = live.clock() - timedelta(days=29)
    change(live, replace(user(live), created=ago))
    change(live, replace(live.state.get(Node, 1), last_seen=ago))
    assert (await ask(api, "GET", "users/1"))[1]["status"] == "idle"
    for status in (UserStatus.SUSPENDED, UserStatus.NEEDS_APPROVAL):
        change(live, replace(user(live), status=status))
        assert (await ask(api, "GET", "users/1"))[1]["status"] == status.value


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["alice@", "bob@"]),
        ("?type=all&role=all", ["alice@", "bob@"]),
        ("?type=shared", []),
        ("?role=admin", ["bob@"]),
        ("?role=member&type=member", ["alice@"]),
        ("?role=owner", []),
    ],
)
async def test_users_are_listed_by_type_and_role(api, query, found):
    status, told = await ask(api, "GET", f"tailnet/-/users{query}")
    assert (status, told.keys()) == (200, {"users"})
    assert [each["loginName"] for each in told["users"]] == found


@pytest.mark.parametrize(("query", "status"), [("type=friend", 422), ("role=king", 400)])
async def test_a_type_or_role_there_is_not_is_refused(api, query, status):
    got, told = await ask(api, "GET", f"tailnet/-/users?{query}")
    assert (got, query.partition("=")[2] in told) == (status, True)


async def test_a_role_is_set(live, api):
    assert await ask(api, "POST", "users/1/role", {"role": "it-admin"}) == (200, None)
    assert user(live).role is Role.IT_ADMIN
    status, told = await ask(api, "POST", "users/1/role", {"role": "king"})
    assert (status, "network-admin" in told) == (400, True)


async def test_a_user_is_shut_out_and_let_in_again(live, api):
    for _ in range(2):
        assert await ask(api, "POST", "users/1/suspend") == (200, None)
    assert user(live).suspension == Suspension("local", "suspended by an administrator", live.log[0].at)
    assert [live.state.get(Node, number).key_expiry is None for number in (1, 2)] == [False, True]
    assert await ask(api, "POST", "users/1/restore") == (200, None)
    assert user(live).status is UserStatus.ACTIVE


async def test_who_waits_for_it_is_approved(live, api):
    change(live, replace(user(live), status=UserStatus.NEEDS_APPROVAL))
    for _ in range(2):
        assert await ask(api, "POST", "users/1/approve") == (200, None)
    assert user(live).status is UserStatus.ACTIVE


async def test_a_user_is_removed_who_owns_no_devices(live, api):
    status, told = await ask(api, "POST", "users/1/delete")
    assert (status, "desk" in told, "delete or move them first" in told) == (400, True, True)
    assert await ask(api, "DELETE", "device/1") == (200, None)
    assert await ask(api, "POST", "users/1/delete") == (200, None)
    assert live.state.find(User, 1) is None


@pytest.mark.parametrize("path", ["", "/role", "/approve", "/suspend", "/restore", "/delete"])
@pytest.mark.parametrize("text", ["9", "alice", "-1", "9" * 30])
async def test_a_user_who_is_not_there_is_told_so(api, path, text):
    status, told = await ask(api, "POST" if path else "GET", f"users/{text}{path}", {"role": "admin"})
    assert (status, "there is no user" in told) == (404, True)


async def test_a_user_is_named_by_their_login_too(live, api):
    assert (await ask(api, "GET", "users/bob@"))[1]["id"] == "2"
    assert await ask(api, "POST", "users/alice@/role", {"role": "auditor"}) == (200, None)
    assert user(live).role is Role.AUDITOR


@pytest.mark.parametrize("path", ["role", "approve", "suspend", "restore", "delete"])
async def test_nobody_does_this_to_themselves(live, api, path):
    minted = mint(CredentialKind.API_KEY, bytes(range(44)))
    key = create_api_key(live.state, minted, live.clock())
    change(live, replace(key.puts[0], user_id=1))
    how = {"headers": {"Authorization": f"Bearer {minted.text}"}, "local": False}
    status, told = await ask(api, "POST", f"users/1/{path}", {"role": "admin"}, **how)
    assert (status, "another administrator" in told) == (403, True)
    assert (await ask(api, "POST", "users/2/role", {"role": "member"}, **how))[0] == 200
