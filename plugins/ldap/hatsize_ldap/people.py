"""Users as a directory knows them, made from its entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hatsize_ldap.accounts import STATES, why_not
from hatsize_ldap.entries import Entry, same_dn
from hatsize_ldap.filters import subject_of
from hatsize_ldap.schemas import Schema
from hatsize_ldap.settings import GroupLookup, Settings

NOT_ALLOWED = "the account is in none of the groups that may join"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the directory."""

    dn: str
    subject: str
    """What never changes of them."""
    name: str
    email: str
    display_name: str
    why_not: str
    """Why they may not log in; empty when they may."""
    groups: tuple[str, ...]
    """As policies name them, `group:NAME@DOMAIN`, sorted."""


class People:
    """How entries become people, by the settings."""

    def __init__(self, settings: Settings, schema: Schema) -> None:
        self._settings = settings
        self._schema = schema
        self._domain = settings.group_domain or domain_of(settings.base_dn)
        self._allowed = {same_dn(group) for group in settings.allowed_groups}

    @property
    def attributes(self) -> tuple[str, ...]:
        """What has to be asked for of a user's entry."""
        own = {
            self._schema.id_attribute,
            self._schema.name_attribute,
            self._settings.email_attribute,
            self._settings.display_name_attribute,
            *STATES,
        }
        return tuple(sorted(own | ({"memberOf"} if self._schema.groups is GroupLookup.MEMBER_OF else set())))

    def subject(self, entry: Entry) -> str:
        """What never changes of a user; empty where the directory does not tell."""
        value = next(iter(entry.raw(self._schema.id_attribute)), b"")
        return subject_of(self._schema.id_attribute, value)

    def person(self, entry: Entry, groups: Sequence[Entry], now: datetime) -> Person:
        """The user of an entry, in these groups."""
        named = [(group, group.text(self._settings.group_name_attribute)) for group in groups]
        return Person(
            dn=entry.dn,
            subject=self.subject(entry),
            name=entry.text(self._schema.name_attribute),
            email=entry.text(self._settings.email_attribute),
            display_name=entry.text(self._settings.display_name_attribute),
            why_not=why_not(entry, now) or ("" if self._may_join(named) else NOT_ALLOWED),
            groups=tuple(sorted({policy_group(name, self._domain) for _, name in named if name})),
        )

    def _may_join(self, groups: Sequence[tuple[Entry, str]]) -> bool:
        if not self._allowed:
            return True
        return any(name.casefold() in self._allowed or same_dn(group.dn) in self._allowed for group, name in groups)


def policy_group(name: str, domain: str) -> str:
    """How policies name a directory's group: in lower case, with hyphens for spaces, and no second `@`."""
    return f"group:{'-'.join(name.casefold().replace('@', '-').split())}@{domain}"


def domain_of(dn: str) -> str:
    """`example.com` for a DN that ends in `dc=example,dc=com`; `ldap` for one without such parts."""
    parts = [part.partition("=") for part in same_dn(dn).split(",")]
    return ".".join(value for attribute, _, value in parts if attribute == "dc") or "ldap"
