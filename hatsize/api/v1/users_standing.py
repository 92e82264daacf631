"""API v1: what a user may administer, and whether they may take part. Headscale has none of this."""

from hatsize.api.operation import Area, Call
from hatsize.api.reading import read_id
from hatsize.api.schema import Body
from hatsize.api.v1.render import user_json
from hatsize.api.v1.schema import UserAnswer
from hatsize.tailnet.commands.identities import restore_user, suspend_user
from hatsize.tailnet.commands.roles import set_role
from hatsize.tailnet.model import User

area = Area("Users")


class SetRole(Body):
    role: str
    """`owner`, `admin`, `network-admin`, `it-admin`, `billing-admin`, `auditor` or `member`."""


class SuspendUser(Body):
    reason: str = ""


@area.add(
    "POST", "/user/{id}/role", "setUserRole", "Set what a user may administer; a new owner takes the old one's place"
)
async def set_user_role(call: Call, id: str, body: SetRole) -> UserAnswer:  # noqa: A002 - the path's word
    number = _number(id)
    await call.run(lambda state: set_role(state, number, body.role, call.now))
    return _answer(call, number)


@area.add("POST", "/user/{id}/suspend", "suspendUser", "Shut a user out: their nodes' keys expire")
async def suspend(call: Call, id: str, body: SuspendUser | None) -> UserAnswer:  # noqa: A002 - the path's word
    number, reason = _number(id), body.reason if body else ""
    await call.run(
        lambda state: suspend_user(
            state, number, call.now, by=call.principal.actor, reason=reason or "suspended by an administrator"
        )
    )
    return _answer(call, number)


@area.add("POST", "/user/{id}/restore", "restoreUser", "Let a suspended user log in again")
async def restore(call: Call, id: str) -> UserAnswer:  # noqa: A002 - the path's word
    number = _number(id)
    await call.run(lambda state: restore_user(state, number, call.now, by=call.principal.actor))
    return _answer(call, number)


def _number(text: str) -> int:
    return read_id(text, "a user")


def _answer(call: Call, number: int) -> UserAnswer:
    return UserAnswer(user=user_json(call.live.state.get(User, number)))
