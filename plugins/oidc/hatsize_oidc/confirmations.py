"""Logins that the provider has answered, and that wait for the person to say that the machine is theirs.

Without this click, somebody could send the link of their own machine's login to a person who is logged in at the
provider already, and would have their machine in that person's name.

The page itself keeps the answer, sealed, in its form. It is good for the browser that has the page's cookie, and used
up with the pending login it answers.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time

from hatsize.hooks.auth import LoginIdentity
from hatsize_oidc.failures import ProviderFailure, StaleFailure
from hatsize_oidc.sealed import Seal

LIFETIME = 300
LONGEST = 400_000
"""Letters of a form's field; the server reads forms of up to half a million bytes."""


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


class Confirmations:
    """Gives pages their token, and takes it back from the browser that has the page's cookie."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time) -> None:
        self._seal = Seal(key, _Waiting, LIFETIME, clock)

    def wait(self, answered: Answered) -> tuple[str, str]:
        """The token for a login's page, and the browser's cookie."""
        browser = secrets.token_urlsafe(32)
        token = self._seal.closed(_Waiting(answered, browser))
        if len(token) > LONGEST:
            raise ProviderFailure(
                f"{answered.provider} tells more of you than a page can hold: let it send fewer claims"
            )
        return token, browser

    def taken(self, token: str, browser: str) -> Answered:
        """The login; StaleFailure when there is none for this browser, or not any more."""
        waiting = self._seal.opened(token)
        if waiting is None or not secrets.compare_digest(waiting.browser.encode(), browser.encode()):
            raise StaleFailure(
                "this page was used already, is more than 5 minutes old, or is another browser's: start the login again"
            )
        return waiting.answered
