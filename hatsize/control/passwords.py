"""Asking the password providers whether a name and a password belong together."""

import time
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

import anyio

from hatsize.hooks.auth import Deny, LoginIdentity, PasswordProvider
from hatsize.hooks.calls import Calls

METHOD = "PasswordProvider.check"
STEP = 0.5
"""A no is given at a whole number of these seconds, so that its time does not tell why."""


class No(Enum):
    """Why nobody is let in."""

    WRONG = auto()
    """A provider was asked, and none knows the name with that password."""
    UNANSWERED = auto()
    """No provider could be asked."""


async def check(
    providers: Sequence[PasswordProvider], calls: Calls, username: str, password: str, remote: str
) -> LoginIdentity | Deny | No:
    """What the first provider says that knows the two; an empty password is asked of nobody."""
    started, answer = time.monotonic(), No.WRONG if not password else No.UNANSWERED
    for provider in providers if password else ():
        done, told = await calls.service(provider.name, METHOD, partial(provider.check, username, password, remote))
        if isinstance(told, LoginIdentity | Deny):
            return told
        if done and told is None:
            answer = No.WRONG
    await anyio.sleep(STEP - (time.monotonic() - started) % STEP)
    return answer
