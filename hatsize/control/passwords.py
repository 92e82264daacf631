"""Asking the password providers whether a name and a password belong together."""

import time
from collections.abc import Sequence
from enum import Enum, auto

import anyio

from hatsize.hooks.auth import Deny, LoginIdentity, PasswordProvider, UnavailableError
from hatsize.hooks.ledger import Ledger

HOOK = "PasswordProvider.check"
DEADLINE = 20.0
"""Seconds that one provider has."""
STEP = 0.5
"""A no is given at a whole number of these seconds, so that its time does not tell why."""


class No(Enum):
    """Why nobody is let in."""

    WRONG = auto()
    """A provider was asked, and none knows the name with that password."""
    UNANSWERED = auto()
    """No provider could be asked."""


async def check(
    providers: Sequence[PasswordProvider], ledger: Ledger, username: str, password: str, remote: str
) -> LoginIdentity | Deny | No:
    """What the first provider says that knows the two; an empty password is asked of nobody."""
    started, answer = time.monotonic(), No.WRONG if not password else No.UNANSWERED
    for provider in providers if password else ():
        told = await _asked(provider, ledger, username, password, remote)
        if isinstance(told, LoginIdentity | Deny):
            return told
        if told is None:
            answer = No.WRONG
    await anyio.sleep(STEP - (time.monotonic() - started) % STEP)
    return answer


async def _asked(
    provider: PasswordProvider, ledger: Ledger, username: str, password: str, remote: str
) -> LoginIdentity | Deny | No | None:
    """One provider's answer; what fails or is too slow is UNANSWERED, and counted as the plugin's own."""
    started = time.monotonic()
    try:
        with anyio.fail_after(DEADLINE):
            return await provider.check(username, password, remote)
    except TimeoutError:
        ledger.cut_off(provider.name, HOOK, DEADLINE)
    except UnavailableError as error:
        ledger.unavailable(provider.name, HOOK, str(error))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and hurts nobody
        ledger.failed(provider.name, HOOK, error)
    finally:
        ledger.took(provider.name, HOOK, time.monotonic() - started)
    return No.UNANSWERED
