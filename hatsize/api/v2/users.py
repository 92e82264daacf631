"""API v2: users, as they are shown and found."""

from datetime import datetime, timedelta
from typing import Literal

from hatsize.api.contract import Live
from hatsize.api.operation import Area, Call
from hatsize.api.reading import number_of
from hatsize.api.schema import Answer, Query, Time, go_time
from hatsize.tailnet.commands.roles import checked_role
from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import Node, Tailnet, User, UserStatus
from hatsize.tailnet.state import State

area = Area("Users")
ALL = "all"
IDLE_AFTER = timedelta(days=28)
"""For how long a user may be away and still count as active."""


class UserJson(Answer):
    id: str
    display_name: str
    login_name: str
    profile_pic_url: str
    tailnet_id: str
    created: Time
    type: str
    """`member` always: nobody of another tailnet is a user of this one."""
    role: str
    status: str
    """`active`, or `idle` after 28 days away; `suspended`, or `needs-approval`."""
    device_count: int
    last_seen: Time
    currently_connected: bool


class UsersAnswer(Answer):
    users: list[UserJson]


class ListUsers(Query):
    type: Literal["member", "shared", "all"] = "member"
    role: str = ALL


@area.add(
    "GET", "/tailnet/{tailnet}/users", "listUsers", "List users, all or those of a type or a role", scope="users:read"
)
async def list_users(call: Call, query: ListUsers) -> UsersAnswer:
    if query.type == "shared":
        return UsersAnswer(users=[])
    role = None if query.role == ALL else checked_role(query.role)
    found = sorted(call.live.state.all(User), key=lambda user: user.id)
    return UsersAnswer(users=[user_json(call.live, user) for user in found if role in (None, user.role)])


@area.add("GET", "/users/{userId}", "getUser", "Show a user", scope="users:read")
async def get_user(call: Call, user_id: str) -> UserJson:
    return user_json(call.live, user_of(call.live.state, user_id))


def user_of(state: State, text: str) -> User:
    """The user that a path's `userId` names, by the id or, as `tscli` has it, the login name; raises NotFoundError."""
    number = number_of(text)
    if number is not None:
        user = state.find(User, number)
    else:
        user = next((user for user in state.all(User) if user.login_name == text), None)
    if user is None:
        raise NotFoundError(f"there is no user {text[:80]!r}: GET /api/v2/tailnet/-/users lists them")
    return user


def user_json(live: Live, user: User) -> UserJson:
    state, now = live.state, live.clock()
    nodes = [state.get(Node, number) for number in state.index.nodes_by_user.get(user.id, ())]
    owned = [node for node in nodes if not node.tags]
    connected = any(live.is_online(node.id) for node in owned)
    seen = now if connected else max([user.created, *(node.last_seen or node.created for node in owned)])
    tailnet = state.find(Tailnet, state.tailnet_id)
    return UserJson(
        id=str(user.id),
        display_name=user.display_name or user.name,
        login_name=user.login_name,
        profile_pic_url=user.picture_url,
        tailnet_id=tailnet.name if tailnet else str(state.tailnet_id),
        created=go_time(user.created),
        type="member",
        role=user.role.value,
        status=_status(user, seen, now),
        device_count=len(owned),
        last_seen=go_time(seen),
        currently_connected=connected,
    )


def _status(user: User, seen: datetime, now: datetime) -> str:
    is_idle = user.status is UserStatus.ACTIVE and now - seen > IDLE_AFTER
    return "idle" if is_idle else user.status.value
