"""Logins that are under way at a provider: kept by the browser itself, sealed, so that nobody can fill our memory.

The browser that begins a login gets a cookie with all that its return has to match. A state is taken once; what is
remembered of it is no more than that.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import time

from cryptography.fernet import Fernet, InvalidToken

from hatsize_oidc.failures import StaleFailure

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
    nonce: str
    verifier: str
    fresh: bool
    """Whether the person has to show anew who they are."""
    began: float
    """Seconds since 1970."""


class Seal:
    """Seals logins for their browsers, with a key that lasts as long as the server runs."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._fernet = Fernet(Fernet.generate_key())
        self._clock = clock
        self._used: OrderedDict[str, float] = OrderedDict()

    def begin(self, provider: str, auth_id: str, *, fresh: bool) -> Underway:
        """A new login."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return Underway(provider, auth_id, state, nonce, verifier, fresh, self._clock())

    def sealed(self, login: Underway) -> str:
        """What the browser keeps of it."""
        return self._fernet.encrypt_at_time(json.dumps(asdict(login)).encode(), int(self._clock())).decode()

    def taken(self, provider: str, state: str, cookie: str) -> Underway:
        """The login that a browser returns to, once; StaleFailure when it is not its own, over, or used."""
        try:
            text = self._fernet.decrypt_at_time(cookie.encode(), LIFETIME, int(self._clock()))
        except InvalidToken:
            raise StaleFailure(
                "this login was begun in another browser, or more than 10 minutes ago: start it again"
            ) from None
        login = Underway(**json.loads(text))
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
