"""The Authorization header (RFC 6750 and RFC 7617). Pure, and harmless with any text."""

import binascii
from base64 import b64decode


def bearer_of(header: str) -> str:
    """The credential of `Bearer CREDENTIAL`; empty when the header is of another form."""
    kind, _, credential = header.partition(" ")
    return credential.strip() if kind.lower() == "bearer" else ""


def basic_of(header: str) -> tuple[str, str]:
    """The user name and the password of `Basic BASE64`; empty ones when the header is of another form."""
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    name, _, password = text.partition(":")
    return name, password
