"""API v1: what waits at `/register/AUTH-ID`."""

from datetime import timedelta

import msgspec
import pytest

from hatsize.tailnet.held_sessions import PURPOSE, HeldSession
from hatsize.tailnet.model import Change, PendingLogin
from hatsize.wire.keys import machine_key, node_key

pytestmark = pytest.mark.anyio
AUTH_ID = "hskey-authreq-" + "ab" * 12


async def answer(api, method, path, body=None):
    response = await api(method, f"/api/v1/{path}", body)
    return response.status_code, await response.get_json()


async def test_what_waits_is_listed_the_oldest_first_until_it_is_decided(live, api):
    live.wait_for_approval(AUTH_ID, "stranger")
    live.wait_for_approval(AUTH_ID[:-1] + "c", "guest")
    _, body = await answer(api, "GET", "auth")
    first, second = body["authRequests"]
    assert (first["authId"], first["purpose"], first["machine"]) == (AUTH_ID, "register", "stranger")
    assert first["createdAt"] < first["expires"]
    assert second["machine"] == "guest"
    await answer(api, "POST", "auth/reject", {"authId": AUTH_ID})
    assert (await answer(api, "GET", "auth"))[1] == {"authRequests": [second]}


async def test_what_waited_too_long_is_not_listed(live, api, monkeypatch):
    live.wait_for_approval(AUTH_ID, "stranger")
    later = live.clock() + timedelta(minutes=16)
    monkeypatch.setattr(live, "clock", lambda: later)
    assert (await answer(api, "GET", "auth"))[1] == {"authRequests": []}


async def test_a_session_under_check_is_listed_with_where_it_is_to_go(live, api):
    session = HeldSession("laptop", "server", "root", 2)
    login = PendingLogin(
        id=1, auth_id=AUTH_ID, purpose=PURPOSE, machine_key=machine_key(bytes(32)), node_key=node_key(bytes(32)),
        request=msgspec.json.encode(session), created=live.clock(), expires=live.clock() + timedelta(minutes=15),
    )  # fmt: skip
    await live.run(lambda _: Change(tailnet=1, kind="login.started", puts=(login,), at=live.clock()))
    (listed,) = (await answer(api, "GET", "auth"))[1]["authRequests"]
    assert (listed["purpose"], listed["machine"], listed["target"]) == ("ssh", "laptop", "root@server")
    assert "os" not in listed


async def test_a_waiting_registration_is_rejected(live, api):
    live.wait_for_approval(AUTH_ID, "stranger")
    assert await answer(api, "POST", "auth/reject", {"authId": AUTH_ID}) == (200, {})
    assert live.state.get(PendingLogin, 1).state.value == "rejected"
