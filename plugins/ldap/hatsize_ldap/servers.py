"""Several servers of one directory: the first that answers is asked."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from hatsize_ldap.addresses import Address
from hatsize_ldap.errors import UnreachableError
from hatsize_ldap.links import Line
from hatsize_ldap.session import Account, Session, session
from hatsize_ldap.settings import Settings
from hatsize_ldap.tls import context

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
LAST_FOR = 60.0
"""Seconds in which a server that did not answer is asked after all others."""


class Servers:
    """The servers of the settings. Blocks: use it in threads, of which several may ask at once."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = [Address.parse(server) for server in settings.servers]
        self._line = Line(settings.start_tls, context(settings.ca_file), settings.timeout_seconds, settings.page_size)
        self._account = Account(settings.bind_dn, settings.bind_password.get_secret_value())
        self._referral_hosts = frozenset(host.casefold() for host in settings.referral_hosts)
        self._clock = clock
        self._failed: dict[Address, float] = {}

    @property
    def addresses(self) -> list[Address]:
        """In the order in which they would be asked now."""
        now = self._clock()
        return sorted(self._addresses, key=lambda each: now - self._failed.get(each, -LAST_FOR) < LAST_FOR)

    def ask(self, task: Callable[[Session], Answer]) -> Answer:
        """What the task comes to with the first server that answers; it may be begun with several.

        Raises UnreachableError that names them all where none does, and DirectoryError for an answer that is no help.
        """
        reasons = []
        for address in self.addresses:
            try:
                with session(address, self._line, self._account, self._referral_hosts) as made:
                    answer = task(made)
            except UnreachableError as error:
                self._failed[address] = self._clock()
                reasons.append(str(error))
                continue
            if self._failed.pop(address, None) is not None:
                log.info("%s answers again", address)
            if reasons:
                log.warning("asked %s in place of: %s", address, "; ".join(reasons))
            return answer
        raise UnreachableError("; ".join(reasons) or "no servers are set")
