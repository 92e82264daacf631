"""Logins that the provider has answered, and that wait for the person to say that the machine is theirs.

Without this click, somebody could send the link of their own machine's login to a person who is logged in at the
provider already, and would have their machine in that person's name.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time

from hatsize.hooks.auth import LoginIdentity
from hatsize_oidc.failures import StaleFailure

LIFETIME = 300.0
MOST = 1000
"""How many wait; each has logged in at a provider before."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A login that the provider has answered."""

    provider: str
    auth_id: str
    identity: LoginIdentity
    refresh_token: str = field(repr=False, default="")
    id_token: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class _Waiting:
    answered: Answered
    browser: str = field(repr=False)
    until: float


class Confirmations:
    """What waits, by the token in its page; each is taken once, by the browser that has its cookie."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def wait(self, answered: Answered) -> tuple[str, str]:
        """Keep a login: the token for its page, and the browser's cookie."""
        token, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        while len(self._waiting) >= MOST:
            self._waiting.popitem(last=False)
        self._waiting[token] = _Waiting(answered, browser, self._clock() + LIFETIME)
        return token, browser

    def taken(self, token: str, browser: str) -> Answered:
        """The login, which does not wait any more; StaleFailure when there is none for this browser."""
        waiting = self._waiting.get(token)
        if waiting is None or not secrets.compare_digest(waiting.browser.encode(), browser.encode()):
            raise StaleFailure("this page was used already, or is another browser's: start the login again")
        del self._waiting[token]
        if waiting.until <= self._clock():
            raise StaleFailure("this page's 5 minutes are over: start the login again")
        return waiting.answered
