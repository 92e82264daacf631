"""Roles: what a user may administer. A tailnet has one owner at most."""

from datetime import datetime

from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError, RefusedError
from hatsize.tailnet.model import Change, Role, User, UserStatus
from hatsize.tailnet.state import State


def set_role(state: State, user_id: int, name: str, now: datetime) -> Change | None:
    """The user has a role from now on, None where they have it; an owner that was is an administrator then.

    Raises InvalidError for what is no role, and RefusedError for an owner who may not log in.
    """
    role, user = checked_role(name), state.get(User, user_id)
    if user.role is role:
        return None
    if role is Role.OWNER and user.status is not UserStatus.ACTIVE:
        raise RefusedError(f"user {user.name!r} is {user.status.value}: an owner must be able to log in")
    former = [other for other in state.all(User) if other.role is Role.OWNER] if role is Role.OWNER else []
    puts = (replace(user, role=role), *(replace(other, role=Role.ADMIN) for other in former))
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=puts, at=now)


def checked_role(name: str) -> Role:
    """A role by its name; raises InvalidError."""
    try:
        return Role(name.strip().lower())
    except ValueError:
        raise InvalidError(f"{name!r} is not a role: give one of {', '.join(Role)}") from None
