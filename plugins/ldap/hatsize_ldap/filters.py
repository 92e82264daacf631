"""Search filters (RFC 4515) and names (RFC 4514) with values from outside, which cannot become more than values."""

import unicodedata
import uuid
from collections.abc import Iterable

GUID = "objectguid"
"""Active Directory's identifier, the one that is not text."""


def equals(attribute: str, value: str | bytes) -> str:
    """That an attribute has a value; every byte that could mean something is escaped."""
    return f"({attribute}={escaped(value)})"


def escaped(value: str | bytes) -> str:
    """A value as it stands in a filter: letters, digits and a few signs as they are, other bytes in hex."""
    raw = value.encode() if isinstance(value, str) else value
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in raw)


def either(filters: Iterable[str]) -> str:
    """That one of them holds."""
    return f"(|{''.join(filters)})"


def both(*filters: str) -> str:
    """That all of them hold."""
    return f"(&{''.join(filters)})"


def in_name(value: str) -> str:
    """A value as it stands in a DN."""
    return "".join(char if ord(char) < 128 and ord(char) in _PLAIN else _hex(char) for char in value)


def is_typeable(name: str) -> bool:
    """Whether somebody could have this user name: no control characters, no surrogates, something at all."""
    return bool(name.strip()) and not any(unicodedata.category(char) in {"Cc", "Cs", "Cn", "Zl", "Zp"} for char in name)


def subject_of(attribute: str, value: bytes) -> str:
    """A user's identifier as text."""
    if attribute.lower() == GUID and len(value) == 16:
        return str(uuid.UUID(bytes_le=value))
    return value.decode("utf-8", "backslashreplace").lower()


def subject_is(attribute: str, subject: str) -> str:
    """The filter that finds a user by it."""
    try:
        return equals(attribute, uuid.UUID(subject).bytes_le if attribute.lower() == GUID else subject)
    except ValueError:  # kept from a time when another attribute was asked for
        return equals(attribute, subject)


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-")


def _hex(char: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in char.encode())
