"""Which groups somebody is in, through groups in groups, however these are tied into loops."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from hatsize_ldap.entries import Entry, Query, same_dn
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.filters import both, either, equals
from hatsize_ldap.schemas import Schema
from hatsize_ldap.settings import GroupLookup, Settings

LIMIT = 2000
"""How many groups one user may be in."""
IN_CHAIN = "1.2.840.113556.1.4.1941"
"""LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS 3.1.1.3.4.4.3)."""


class Searching(Protocol):
    """What groups are looked for with."""

    def search(self, query: Query) -> list[Entry]: ...


class Once:
    """Makes each search once, for users who have groups in common."""

    def __init__(self, searching: Searching) -> None:
        self._searching = searching
        self._found: dict[Query, list[Entry]] = {}

    def search(self, query: Query) -> list[Entry]:
        if query not in self._found:
            self._found[query] = self._searching.search(query)
        return self._found[query]


class Groups:
    """Finds the groups of users, as entries with the attribute that names them."""

    def __init__(self, settings: Settings, schema: Schema) -> None:
        self._base = settings.group_base_dn or settings.base_dn
        self._schema = schema
        self._nested = settings.nested_groups
        by_name = ("memberOf",) if schema.groups is GroupLookup.MEMBER_OF else ()
        self._wanted = (settings.group_name_attribute, *by_name)

    def of(self, session: Searching, user: Entry) -> list[Entry]:
        """The groups of a user, the direct ones first."""
        match self._schema.groups:
            case GroupLookup.NONE:
                return []
            case GroupLookup.MEMBER_UID:
                return self._search(session, equals("memberUid", user.text(self._schema.name_attribute)))
            case GroupLookup.IN_CHAIN:
                rule = f"member:{IN_CHAIN}:" if self._nested else "member"
                return self._search(session, equals(rule, user.dn))
            case GroupLookup.MEMBER:
                return self._through(user, lambda entry: self._holding(session, entry))
            case GroupLookup.MEMBER_OF:
                return self._through(user, lambda entry: self._named_by(session, entry))

    def _holding(self, session: Searching, entry: Entry) -> list[Entry]:
        held = either([equals("member", entry.dn), equals("uniqueMember", entry.dn)])
        return self._search(session, held)

    def _named_by(self, session: Searching, entry: Entry) -> list[Entry]:
        """The groups in `memberOf`, of which some may be something else, as FreeIPA's rules are."""
        below = "," + same_dn(self._base)
        found = []
        for dn in entry.texts("memberOf"):
            if same_dn(dn).endswith(below):
                found += session.search(Query(dn, self._schema.group_filter, self._wanted, whole_tree=False))
        return found

    def _search(self, session: Searching, condition: str) -> list[Entry]:
        return session.search(Query(self._base, both(self._schema.group_filter, condition), self._wanted))

    def _through(self, user: Entry, groups_of: Callable[[Entry], list[Entry]]) -> list[Entry]:
        direct = groups_of(user)
        return closure(direct, groups_of) if self._nested else direct


def closure(start: Iterable[Entry], above: Callable[[Entry], Iterable[Entry]]) -> list[Entry]:
    """The entries reached from these, each once; DirectoryError when there is no end of them."""
    found: dict[str, Entry] = {}
    waiting = deque(start)
    while waiting:
        entry = waiting.popleft()
        if same_dn(entry.dn) in found:
            continue
        if len(found) == LIMIT:
            raise DirectoryError(f"somebody is in more than {LIMIT} groups: set group_base_dn or group_filter")
        found[same_dn(entry.dn)] = entry
        waiting.extend(above(entry))
    return list(found.values())
