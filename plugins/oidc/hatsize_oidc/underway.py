"""Logins that are under way at a provider: kept by the browser itself in a sealed cookie.

The browser that begins a login gets a cookie with all that its return has to match. A state is taken once; what is
remembered of it is no more than that. At another replica the provider takes the code no second time.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time

from hatsize_oidc.failures import StaleFailure
from hatsize_oidc.sealed import Seal

LIFETIME = 600
"""Seconds that somebody has to log in at the provider."""
REMEMBERED = 10_000
"""How many used states are remembered; more logins than this do not end within their lifetime."""


@dataclass(frozen=True, slots=True)
class Underway:
    """A login that a browser has begun."""

    provider: str
    auth_id: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    fresh: bool
    """Whether the person has to show anew who they are."""
    began: float
    """Seconds since 1970."""


class Logins:
    """Begins logins, and takes back what their browsers kept of them."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time) -> None:
        self._seal = Seal(key, Underway, LIFETIME, clock)
        self._clock = clock
        self._used: OrderedDict[str, float] = OrderedDict()

    def begin(self, provider: str, auth_id: str, *, fresh: bool) -> tuple[Underway, str]:
        """A new login, and its browser's cookie."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        login = Underway(provider, auth_id, state, nonce, verifier, fresh, self._clock())
        return login, self._seal.closed(login)

    def taken(self, provider: str, state: str, cookie: str) -> Underway:
        """The login that a browser returns to, once; StaleFailure when it is not its own, over, or used."""
        login = self._seal.opened(cookie)
        if login is None:
            raise StaleFailure("this login was begun in another browser, or more than 10 minutes ago: start it again")
        if not secrets.compare_digest((login.provider + login.state).encode(), (provider + state).encode()):
            raise StaleFailure("this answer belongs to another login: start it again")
        self._use(state)
        return login

    def _use(self, state: str) -> None:
        now = self._clock()
        while self._used and (next(iter(self._used.values())) < now - LIFETIME or len(self._used) >= REMEMBERED):
            self._used.popitem(last=False)
        if state in self._used:
            raise StaleFailure("this login was used already (its state was replayed): start it again")
        self._used[state] = now
