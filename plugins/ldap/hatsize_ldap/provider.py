"""The directory's passwords, for the login page's form."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from hatsize.hooks.auth import Deny, LoginIdentity, UnavailableError
from hatsize.tailnet.model import Identity
from hatsize_ldap.directory import Directory, Refusal
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.people import Person

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
DEADLINE = 18.0
"""Seconds for one login, all servers together: less than the form gives."""
THREADS = 10
"""How many may wait for servers at once; what a server holds up it holds up for these alone."""


class Asking:
    """Asks a directory from the event loop, without waiting for it there."""

    def __init__(self, name: str, directory: Directory) -> None:
        self.name = name
        self.directory = directory
        self._limiter = CapacityLimiter(THREADS)

    async def __call__(self, question: Callable[[Directory], Answer], deadline: float) -> Answer:
        """The answer to a question; DirectoryError also when there is none in time."""
        try:
            with anyio.fail_after(deadline):
                return await to_thread.run_sync(question, self.directory, abandon_on_cancel=True, limiter=self._limiter)
        except TimeoutError:
            raise DirectoryError(f"no answer within {deadline:g} seconds") from None


class LdapPasswords:
    """Implements `hatsize.hooks.auth.PasswordProvider`."""

    def __init__(self, asking: Asking, title: str) -> None:
        self.name = asking.name
        self.title = title
        self._asking = asking

    async def check(self, username: str, password: str, remote: str) -> LoginIdentity | Deny | None:
        del remote
        now = datetime.now(UTC)
        try:
            found = await self._asking(lambda directory: directory.authenticate(username, password, now), DEADLINE)
        except DirectoryError as error:
            raise UnavailableError(str(error)) from error
        match found:
            case Person(why_not="") as person:
                return identity_of(self.name, person)
            case Person(dn=dn, why_not=reason):
                log.info("%s may not log in: %s", dn, reason)
                return Deny(f"{reason[0].upper()}{reason[1:]}.")
            case Refusal(words):
                return Deny(words)
        return None


def identity_of(provider: str, person: Person) -> LoginIdentity:
    """A user of the directory as the server takes them."""
    return LoginIdentity(
        identity=Identity(provider, person.subject),
        name=person.name,
        email=person.email,
        display_name=person.display_name,
        groups=person.groups,
        claims={"dn": person.dn},
    )
