"""Whether a text can be a host: what DNS could know as a name, or an address."""

import re

_NOT_IN_HOSTS = re.compile(r"[\s/@?#\\]")


def is_host(text: str) -> bool:
    """Whether a client could look a text up without an error of its own (RFC 1035: labels of 1 to 63 bytes)."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return bool(text) and not _NOT_IN_HOSTS.search(text)
