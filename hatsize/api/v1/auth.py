"""API v1: deciding on what waits at `/register/AUTH-ID`."""

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Body, Nothing
from hatsize.api.v1.render import node_json
from hatsize.api.v1.schema import NodeAnswer
from hatsize.tailnet.commands import logins
from hatsize.tailnet.commands.users import user_named

area = Area("Auth")


class RegisterAuth(Body):
    user: str = ""
    auth_id: str = ""


class DecideAuth(Body):
    auth_id: str = ""


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
