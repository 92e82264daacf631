"""API v2: what a user may administer, whether they may take part, and their removal."""

from http import HTTPStatus

from hatsize.api.operation import Area, Call
from hatsize.api.problems import Problem
from hatsize.api.schema import Body
from hatsize.api.v2.users import user_of
from hatsize.tailnet.commands.identities import approve_user, restore_user, suspend_user
from hatsize.tailnet.commands.roles import set_role
from hatsize.tailnet.commands.users import delete_user

area = Area("Users")
REASON = "suspended by an administrator"


class SetRole(Body):
    role: str


@area.add(
    "POST", "/users/{userId}/role", "updateUserRole",
    "Set what a user may administer; a new owner takes the old one's place", scope="users",
)  # fmt: skip
async def update_role(call: Call, user_id: str, body: SetRole) -> None:
    number = _other(call, user_id)
    await call.run(lambda state: set_role(state, number, body.role, call.now))


@area.add("POST", "/users/{userId}/approve", "approveUser", "Let a user take part who waits for it", scope="users")
async def approve(call: Call, user_id: str) -> None:
    number = _other(call, user_id)
    await call.run(lambda state: approve_user(state, number, call.now))


@area.add("POST", "/users/{userId}/suspend", "suspendUser", "Shut a user out: their nodes' keys expire", scope="users")
async def suspend(call: Call, user_id: str) -> None:
    number, actor = _other(call, user_id), call.principal.actor
    await call.run(lambda state: suspend_user(state, number, call.now, by=actor, reason=REASON))


@area.add("POST", "/users/{userId}/restore", "restoreUser", "Let a suspended user log in again", scope="users")
async def restore(call: Call, user_id: str) -> None:
    number, actor = _other(call, user_id), call.principal.actor
    await call.run(lambda state: restore_user(state, number, call.now, by=actor))


@area.add("POST", "/users/{userId}/delete", "deleteUser", "Remove a user who owns no devices", scope="users")
async def delete(call: Call, user_id: str) -> None:
    number = _other(call, user_id)
    await call.run(lambda state: delete_user(state, number, call.now))


def _other(call: Call, text: str) -> int:
    """The user that a path names; raises the 403 problem where that is the one who asks."""
    number = user_of(call.live.state, text).id
    if number == call.principal.user_id:
        raise Problem(HTTPStatus.FORBIDDEN, "nobody changes what they may do themselves: ask another administrator")
    return number
