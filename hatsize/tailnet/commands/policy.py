"""Policies: putting one in force."""

from collections.abc import Callable, Sequence
from datetime import datetime

from hatsize.tailnet.model import Change, PolicyVersion
from hatsize.tailnet.state import State


def save_policy(
    state: State, document: str, check: Callable[[str, State], Sequence[str]], now: datetime, *, author: str = ""
) -> Change:
    """A policy document is put in force, if `check` does not raise; earlier ones are kept."""
    check(document, state)
    version = PolicyVersion(
        id=state.next_id(PolicyVersion), tailnet=state.tailnet_id, document=document, author=author, created=now
    )
    return Change(tailnet=state.tailnet_id, kind="policy.saved", puts=(version,), at=now)


def policy_in_force(state: State) -> PolicyVersion | None:
    """The newest policy saved, or None when none ever was."""
    return max(state.all(PolicyVersion), key=lambda version: version.id, default=None)
