"""How long pending logins wait, and how many of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hatsize.tailnet.model import LoginState, PendingLogin
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class WaitingRoom:
    """The terms on which logins wait for somebody's approval."""

    lifetime: timedelta = timedelta(minutes=15)
    limit: int = 1024


def waiting_logins(state: State, now: datetime) -> list[PendingLogin]:
    """The logins that nobody has decided on and whose time is not over, the oldest first."""
    waiting = [login for login in state.all(PendingLogin) if login.expires > now and login.state is LoginState.PENDING]
    return sorted(waiting, key=lambda login: login.id)


def making_room(state: State, room: WaitingRoom, now: datetime) -> tuple[tuple[str, int], ...]:
    """What to delete when one more login begins: those whose time is over, and the oldest where too many wait."""
    over = [login for login in state.all(PendingLogin) if login.expires <= now]
    waiting = waiting_logins(state, now)
    crowded_out = waiting[: max(len(waiting) + 1 - room.limit, 0)]
    return tuple((PendingLogin.table, login.id) for login in (*over, *crowded_out))
