"""Browsers that are still logged in at their provider, and may log out there."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time

from hatsize_oidc.failures import StaleFailure
from hatsize_oidc.sealed import Seal

LIFETIME = 300
LONGEST = 3800
"""Letters of a cookie: browsers keep 4096 with its name and attributes."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    provider: str
    page: str
    id_token: str = field(repr=False)


class Leavings:
    """Remembers, in the browser's cookie, as whom it may log out."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time) -> None:
        self._seal = Seal(key, _Leaving, LIFETIME, clock)

    def offer(self, provider: str, id_token: str) -> tuple[str, str]:
        """The name of a way out, and the browser's cookie. One too long for a cookie goes without the ID token: then
        the provider asks whose session it is to end."""
        page = secrets.token_urlsafe(12)
        cookie = self._seal.closed(_Leaving(provider, page, id_token))
        return page, cookie if len(cookie) <= LONGEST else self._seal.closed(_Leaving(provider, page, ""))

    def taken(self, provider: str, page: str, cookie: str) -> str:
        """The ID token, which may be empty; StaleFailure when it is not this browser's way out."""
        leaving = self._seal.opened(cookie)
        if leaving is None or (leaving.provider, leaving.page) != (provider, page):
            raise StaleFailure(f"this link is another browser's, or more than 5 minutes old: log out at {provider}")
        return leaving.id_token
