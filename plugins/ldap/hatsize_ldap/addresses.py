"""Addresses of directory servers."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

PORTS = {"ldap": 389, "ldaps": 636}


@dataclass(frozen=True, slots=True)
class Address:
    """One server's."""

    host: str
    port: int
    tls: bool
    """Whether it speaks TLS from the first byte."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address in `ldaps://HOST[:PORT]`; ValueError with the mend."""
        address, base = _split(text)
        if base:
            raise ValueError(f"{text!r} has a DN in it: give it as base_dn")
        return cls(*address)


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a server says that the answer is (RFC 4516)."""

    address: Address
    base: str
    """The DN to go on from; empty for the one that was asked for."""

    @classmethod
    def parse(cls, uri: str) -> Self | None:
        """The referral in `ldap://HOST[:PORT]/BASE…`; None for what cannot be followed."""
        try:
            address, base = _split(uri)
        except ValueError:
            return None
        return cls(Address(*address), base)


def _split(text: str) -> tuple[tuple[str, int, bool], str]:
    try:
        url = urlsplit(text)
        scheme, host, port = url.scheme, url.hostname, url.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in PORTS or not host:
        raise ValueError(f"{text!r} is not a directory's address; give one such as ldaps://ldap.example.com")
    return (host, port or PORTS[scheme], scheme == "ldaps"), unquote(url.path.lstrip("/"))
