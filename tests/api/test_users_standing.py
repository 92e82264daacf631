"""API v1: roles of users, and shutting users out."""

import pytest

from hatsize.tailnet.model import Credential, Node, Role, User, UserStatus

pytestmark = pytest.mark.anyio


async def answer(api, method, path, body=None):
    response = await api(method, f"/api/v1/user{path}", body)
    return response.status_code, await response.get_json()


async def test_a_role_is_set_and_shown_and_that_of_a_member_is_not(live, api):
    live.add_users("alice", "bob")
    status, body = await answer(api, "POST", "/1/role", {"role": "admin"})
    assert (status, body["user"]["role"]) == (200, "admin")
    _, listed = await answer(api, "GET", "")
    assert [user.get("role") for user in listed["users"]] == ["admin", None]


async def test_what_is_shown_of_a_user_is_set(live, api):
    live.add_users("alice")
    status, body = await answer(api, "PUT", "/1", {"displayName": "Alice", "email": "a@example.com"})
    assert (status, body["user"]["displayName"], body["user"]["email"]) == (200, "Alice", "a@example.com")
    _, body = await answer(api, "PUT", "/1", {"email": ""})
    assert (body["user"]["displayName"], body["user"]["email"]) == ("Alice", "")
    assert [(await answer(api, "PUT", path, {}))[0] for path in ("/9", "/x")] == [404, 400]


async def test_there_is_one_owner(live, api):
    live.add_users("alice", "bob")
    for number in (1, 2):
        await answer(api, "POST", f"/{number}/role", {"role": "owner"})
    assert [user.role for user in live.state.all(User)] == [Role.ADMIN, Role.OWNER]


async def test_a_user_is_shut_out_with_their_nodes_and_let_in_again(live, api):
    live.add_users("alice")
    await api("POST", "/api/v1/preauthkey", {"user": "1"})
    number = live.join("desk", live.state.get(Credential, 1))
    status, body = await answer(api, "POST", "/1/suspend", {"reason": "has left"})
    assert (status, body["user"]["status"]) == (200, "suspended")
    assert live.state.get(Node, number).key_expiry is not None
    assert live.state.get(User, 1).suspension.reason == "has left"
    status, body = await answer(api, "POST", "/1/restore")
    assert (status, "status" in body["user"]) == (200, False)
    assert live.state.get(User, 1).status is UserStatus.ACTIVE


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/9/role", {"role": "admin"}, 404),
        ("/x/role", {"role": "admin"}, 400),
        ("/1/role", {"role": "king"}, 400),
        ("/1/role", {}, 422),
        ("/1/role", None, 400),
        ("/9/suspend", None, 404),
        ("/9/restore", None, 404),
    ],
)
async def test_what_cannot_be_is_refused(live, api, path, body, status):
    live.add_users("alice")
    got, problem = await answer(api, "POST", path, body)
    assert (got, problem["status"]) == (status, status)
