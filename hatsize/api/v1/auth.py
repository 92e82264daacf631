"""API v1: what waits at `/register/AUTH-ID`, and deciding on it. Headscale lists none of it."""

from msgspec import UNSET, UnsetType

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Body, Nothing, Time, go_time
from hatsize.api.v1.render import node_json
from hatsize.api.v1.schema import NodeAnswer
from hatsize.tailnet.commands import logins
from hatsize.tailnet.commands.users import user_named
from hatsize.tailnet.commands.waiting import waiting_logins
from hatsize.tailnet.held_sessions import PURPOSE, session_of
from hatsize.tailnet.model import PendingLogin
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import Hostinfo, RegisterRequest

area = Area("Auth")


class RegisterAuth(Body):
    user: str = ""
    auth_id: str = ""


class DecideAuth(Body):
    auth_id: str = ""


class AuthRequestJson(Answer):
    auth_id: str
    purpose: str
    """`register` for a machine that wants to join, `ssh` for a session under check."""
    machine: str
    """The machine that asks, by its own name or, for a session, by the name of its node."""
    created_at: Time
    expires: Time
    os: str | UnsetType = UNSET
    """What the machine runs; absent for a session."""
    tags: list[str] | UnsetType = UNSET
    """The tags that the machine asks for; absent where it asks for none."""
    target: str | UnsetType = UNSET
    """`account@node`, where the session is to go; absent for a machine."""


class AuthRequestsAnswer(Answer):
    auth_requests: list[AuthRequestJson]


def auth_request_json(login: PendingLogin) -> AuthRequestJson:
    created, expires = go_time(login.created), go_time(login.expires)
    if login.purpose == PURPOSE:
        session = session_of(login)
        return AuthRequestJson(
            auth_id=login.auth_id, purpose=login.purpose, machine=session.source, created_at=created, expires=expires,
            target=f"{session.account}@{session.target}",
        )  # fmt: skip
    machine = tailcfg.decode(RegisterRequest, login.request).Hostinfo or Hostinfo()
    return AuthRequestJson(
        auth_id=login.auth_id, purpose=login.purpose, machine=machine.Hostname, created_at=created, expires=expires,
        os=machine.OS, tags=list(machine.RequestTags or ()) or UNSET,
    )  # fmt: skip


@area.add("GET", "/auth", "listAuthRequests", "List the machines and checks that wait for somebody's decision")
async def list_requests(call: Call) -> AuthRequestsAnswer:
    return AuthRequestsAnswer(
        auth_requests=[auth_request_json(login) for login in waiting_logins(call.live.state, call.now)]
    )


async def register_as(call: Call, auth_id: str, user_name: str) -> NodeAnswer:
    """Complete a registration as the user with a name."""
    logins.checked_auth_id(auth_id)
    user = user_named(call.live.state, user_name)
    node = await call.live.register(auth_id, user.id, "cli")
    return NodeAnswer(node=node_json(call.live, node))


@area.add("POST", "/auth/register", "authRegister", "Let a machine that waits for it join as a user's")
async def auth_register(call: Call, body: RegisterAuth) -> NodeAnswer:
    return await register_as(call, body.auth_id, body.user)


@area.add("POST", "/auth/approve", "authApprove", "Let a check that waits for it go through")
async def auth_approve(call: Call, body: DecideAuth) -> Nothing:
    await call.run(lambda state: logins.approve_login(state, body.auth_id, call.now))
    return Nothing()


@area.add("POST", "/auth/reject", "authReject", "Refuse a machine or a check that waits")
async def auth_reject(call: Call, body: DecideAuth) -> Nothing:
    await call.run(lambda state: logins.reject_login(state, body.auth_id, call.now))
    return Nothing()
