"""DNS labels for nodes, made from what machines call themselves."""

import re
import unicodedata
from collections.abc import Callable

from hatsize.tailnet.errors import InvalidError

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
FALLBACK = "node"


def sanitised(hostname: str) -> str:
    """A label for a host name: its first part in lower case, accents dropped, other characters as hyphens."""
    plain = unicodedata.normalize("NFKD", hostname.split(".", maxsplit=1)[0]).encode("ascii", "ignore").decode().lower()
    plain = plain.replace("'", "")
    label = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9-]+", "-", plain)).strip("-")[:63].strip("-")
    return label or FALLBACK


def unique(label: str, taken: Callable[[str], bool]) -> str:
    """The label, or with the lowest number behind it that makes it free."""
    if not taken(label):
        return label
    number = 1
    while taken(numbered := f"{label[: 62 - len(str(number))]}-{number}"):
        number += 1
    return numbered


def checked(label: str) -> str:
    """A label that somebody chose; raises InvalidError when it cannot be one."""
    if not LABEL.fullmatch(label):
        raise InvalidError(
            f"{label!r} is not a valid name: use 1 to 63 lower-case letters, digits and hyphens, "
            "with no hyphen at either end"
        )
    return label
