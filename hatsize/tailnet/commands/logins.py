"""Pending logins: approving and rejecting what waits at `/register/AUTH-ID`."""

import re
from datetime import datetime, timedelta

from msgspec.structs import replace

from hatsize.tailnet.commands.register import waiting_login
from hatsize.tailnet.errors import InvalidError, RefusedError
from hatsize.tailnet.model import Change, LoginState, Node, PendingLogin, User, UserStatus
from hatsize.tailnet.state import State

AUTH_ID = re.compile(r"hskey-authreq-[0-9a-f]{24}")
"""The form Headscale's consoles look for, and so ours too."""
AUTH_ID_BYTES = 12
REMEMBERED = timedelta(days=7)
"""How long it is known of a check that it went through: the longest period for which a policy may let it count."""


def auth_id(random_bytes: bytes) -> str:
    """A new auth id from 12 random bytes."""
    if len(random_bytes) != AUTH_ID_BYTES:
        raise ValueError(f"an auth id needs {AUTH_ID_BYTES} random bytes")
    return f"hskey-authreq-{random_bytes.hex()}"


def checked_auth_id(text: str) -> str:
    """An auth id; raises InvalidError when it cannot be one."""
    if not AUTH_ID.fullmatch(text):
        raise InvalidError("that is not an auth id: copy it whole from the page, hskey-authreq- and 24 hex digits")
    return text


def approve_login(state: State, text: str, now: datetime) -> Change:
    """Let a check go through, as one before an SSH session. A registration needs a user: `register.complete_login`."""
    login = waiting_login(state, checked_auth_id(text), now)
    if login.purpose == "register":
        raise RefusedError("this login registers a machine: say whose, with `hatsize auth register --user NAME`")
    return Change(tailnet=state.tailnet_id, kind="login.decided", puts=(_gone_through(login, now),), at=now)


def approve_own_check(state: State, text: str, user: User | None, now: datetime) -> Change:
    """Let an SSH session go through for the user whose node it comes from, who has just shown who they are."""
    login = waiting_login(state, checked_auth_id(text), now)
    source = state.find(Node, login.node_id)
    if login.purpose != "ssh" or source is None:
        raise RefusedError("no SSH session waits here: start it again")
    owner = state.owner(source)
    if user is None or owner is None or user.id != owner.id:
        whose = f"{owner.login_name}'s" if owner else "nobody's"
        raise RefusedError(f"{source.given_name} is {whose} machine: log in as its owner, or ask an administrator")
    if user.status is not UserStatus.ACTIVE:
        raise RefusedError(f"user {user.name!r} is {user.status.value}: ask an administrator")
    decided = replace(_gone_through(login, now), user_id=user.id)
    return Change(tailnet=state.tailnet_id, kind="login.decided", puts=(decided,), actor=user.login_name, at=now)


def reject_login(state: State, text: str, now: datetime, *, reason: str = "rejected by an administrator") -> Change:
    """Refuse what waits; the reason is shown to whoever asked."""
    login = waiting_login(state, checked_auth_id(text), now)
    decided = replace(login, state=LoginState.REJECTED, reason=reason)
    return Change(tailnet=state.tailnet_id, kind="login.decided", puts=(decided,), at=now)


def _gone_through(login: PendingLogin, now: datetime) -> PendingLogin:
    """A check that went through. `created` is when, from now on: what it allows is counted from there."""
    return replace(login, state=LoginState.APPROVED, created=now, expires=now + REMEMBERED)
