"""Connections to a directory's servers. The only module that knows ldap3, whose calls block: use it in threads."""

import math
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hatsize_ldap.addresses import Address
from hatsize_ldap.binding import PASSWORD_POLICY, BindAnswer, answer_of
from hatsize_ldap.entries import Entry, Query
from hatsize_ldap.errors import DirectoryError, UnreachableError

with warnings.catch_warnings():  # pyasn1 has renamed what ldap3 imports
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]
    from ldap3.core.exceptions import (  # type: ignore[import-untyped]
        LDAPInvalidFilterError,
        LDAPStartTLSError,
    )

SUCCESS, NO_SUCH_OBJECT, REFERRAL = 0, 32, 10
ELSEWHERE = frozenset({3, 51, 52})
"""Result codes by which a server says that another one may do better: timeLimitExceeded, busy, unavailable."""

_TLS = re.compile(r"\[SSL: \w+\] (.*?) \(_ssl\.c:\d+\)")
_SOURCE = re.compile(r"_ssl\.c:\d+: ")
_SYSTEM = re.compile(r"\[Errno -?\d+\] (.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach servers."""

    start_tls: bool
    tls: ssl.SSLContext
    timeout: float
    """Seconds for each answer."""
    page_size: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave."""

    entries: list[Entry]
    continued: list[str]
    """URLs where there is more."""
    referred: bool = False
    """Whether this server has nothing of it itself."""


class Link:
    """One open connection to one server."""

    def __init__(self, address: Address, connection: Any, page_size: int) -> None:
        self.address = address
        self._connection = connection
        self._page_size = page_size

    def bind(self, dn: str, password: str) -> BindAnswer:
        """Whether the server takes the two for each other's. An empty password would bind as nobody (RFC 4513,
        5.1.2), and so never gets as far as the server."""
        if not dn or not password:
            return BindAnswer(accepted=False, why="no name or no password was given")
        connection = self._connection
        # As bytes, so that the server gets what was typed: ldap3 maps text, other tools do not.
        connection.user, connection.password = dn, password.encode("utf-8", "surrogatepass")
        connection.authentication = ldap3.SIMPLE
        with _in_words(self.address):
            connection.bind(read_server_info=False, controls=[(PASSWORD_POLICY, False, None)])
        connection.password = None
        self._must_be_able()
        return answer_of(connection.result)

    def search(self, query: Query) -> Found:
        """The entries that match, read in pages (RFC 2696).

        A base that is not there has none. DirectoryError says in words why a search failed.
        """
        entries: list[Entry] = []
        continued: list[str] = []
        cookie = None
        while True:
            with _in_words(self.address):
                self._connection.search(
                    query.base,
                    query.filter,
                    ldap3.SUBTREE if query.whole_tree else ldap3.BASE,
                    attributes=list(query.attributes),
                    paged_size=(query.enough or self._page_size) if query.whole_tree else None,
                    paged_cookie=cookie,
                )
            self._must_be_able()
            result = self._connection.result
            if result["result"] == REFERRAL:
                return Found([], list(result["referrals"] or ()), referred=True)
            if result["result"] == NO_SUCH_OBJECT:
                return Found([], [])
            if result["result"] != SUCCESS:
                raise DirectoryError(f"{self.address} refuses to search {query.base!r}: {_spoken(result)}")
            for item in self._connection.response or ():
                if item["type"] == "searchResEntry":
                    entries.append(Entry.of(item["dn"], item["raw_attributes"], self.address))
                elif item["type"] == "searchResRef":
                    continued += item["uri"]
            cookie = _cookie(result)
            if not cookie or 0 < query.enough <= len(entries):
                return Found(entries, continued)

    def _must_be_able(self) -> None:
        if self._connection.result["result"] in ELSEWHERE:
            raise UnreachableError(f"{self.address}: {_spoken(self._connection.result)}")


@contextmanager
def link(address: Address, line: Line) -> Iterator[Link]:
    """An open connection, encrypted as it should be before anything is said; UnreachableError with the reason."""
    connection = _opened(address, line)
    try:
        yield Link(address, connection, line.page_size)
    finally:
        _close(connection)


def _opened(address: Address, line: Line) -> Any:
    """A connection to the first of the host's addresses that takes one."""
    with _in_words(address):
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for last, host in enumerate(hosts := list(dict.fromkeys(str(each[4][0]) for each in found)), 1):
        connection = _connection(address, host, line)
        try:
            with _in_words(address):
                connection.open(read_server_info=False)
                if line.start_tls and not address.tls:
                    connection.start_tls(read_server_info=False)
                    if not connection.tls_started:
                        raise LDAPStartTLSError("the server did not start TLS")
        except DirectoryError:
            _close(connection)
            if last == len(hosts):
                raise
        else:
            return connection
    raise UnreachableError(f"{address}: the host has no address")


def _connection(address: Address, host: str, line: Line) -> Any:
    server = ldap3.Server(
        host,
        address.port,
        use_ssl=address.tls,
        get_info=ldap3.NONE,
        connect_timeout=line.timeout,
        tls=_Verified(line.tls, address.host),
    )
    seconds = max(1, math.ceil(line.timeout))  # ldap3 packs it as a whole number
    return ldap3.Connection(server, receive_timeout=seconds, read_only=True, check_names=False, auto_referrals=False)


def _close(connection: Any) -> None:
    """Close without a farewell, which a server that hangs would not hear."""
    opened = connection.socket
    connection.strategy.close()
    if opened is not None:  # one that TLS failed on is left open
        opened.close()


class _Verified(ldap3.Tls):  # type: ignore[misc]
    """Encrypts with a context of ours: ldap3 makes one that leaves the host name to a function Python has dropped."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        del do_handshake
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)


@contextmanager
def _in_words(address: Address) -> Iterator[None]:
    """What goes wrong on the way to a server, as UnreachableError."""
    try:
        yield
    except LDAPInvalidFilterError as error:
        raise DirectoryError(f"a filter in the settings cannot be read: {error}") from error
    except Exception as error:  # what ldap3 raises at a malformed answer may be anything
        raise UnreachableError(f"{address}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What an exception says, without the exceptions that ldap3 has wrapped around it."""
    text = " ".join(str(error).split())
    if isinstance(error, LDAPStartTLSError):
        return f"{text}: give ldaps:// where a server does not speak StartTLS"
    inner = _TLS.search(text) or _SYSTEM.search(text)
    return inner[1] if inner else _SOURCE.sub("", text) or type(error).__name__


def _spoken(result: dict[str, Any]) -> str:
    return f"{result['description']} {result['message']}".strip()


def _cookie(result: dict[str, Any]) -> bytes | None:
    control = (result.get("controls") or {}).get("1.2.840.113556.1.4.319")
    return control["value"]["cookie"] if control else None
