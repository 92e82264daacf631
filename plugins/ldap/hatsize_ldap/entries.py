"""Entries as a directory gives them: a DN and attributes, whose names are of no particular case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hatsize_ldap.addresses import Address


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, with the attributes that were asked for."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """By the name in lower case."""
    at: Address | None = None
    """The server that has it."""

    @classmethod
    def of(cls, dn: str, attributes: Mapping[str, Iterable[bytes]], at: Address | None = None) -> "Entry":
        return cls(dn, {name.lower(): tuple(values) for name, values in attributes.items()}, at)

    def raw(self, name: str) -> tuple[bytes, ...]:
        """All values of an attribute."""
        return self.attributes.get(name.lower(), ())

    def texts(self, name: str) -> tuple[str, ...]:
        """All values as text; what is none is left out."""
        return tuple(text for value in self.raw(name) if (text := _text(value)))

    def text(self, name: str) -> str:
        """The first value as text, empty without one."""
        return next(iter(self.texts(name)), "")


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for."""

    base: str
    filter: str
    attributes: tuple[str, ...]
    whole_tree: bool = True
    """All below the base, or the base alone."""
    enough: int = 0
    """How many entries are all that is wanted; 0 for all."""


def same_dn(dn: str) -> str:
    """A form of a DN that is equal for equal ones, as far as servers write them."""
    return ",".join(part.strip() for part in dn.split(",")).casefold()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ""
