"""What is asked of a directory: whether a password is right, and how users are now. Blocks: use it in threads."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hatsize_ldap.entries import Entry, Query
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.filters import both, either, equals, in_name, is_typeable, subject_is
from hatsize_ldap.groups import Groups, Once, Searching
from hatsize_ldap.people import People, Person
from hatsize_ldap.schemas import schema_of
from hatsize_ldap.servers import Servers
from hatsize_ldap.session import Account, Session
from hatsize_ldap.settings import Settings

log = logging.getLogger(__name__)

NOBODY = "cn=hatsize-asks-for-nobody"
"""Whose password is asked about where there is no such user, so that it takes as long."""
AT_ONCE = 50
"""How many users are looked up in one search."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The password was right, and yet there is no way in; the words are for whoever typed it."""

    words: str


class Directory:
    """The directory of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.servers = Servers(settings)
        self.schema = schema_of(settings)
        self._settings = settings
        self._groups = Groups(settings, self.schema)
        self._people = People(settings, self.schema)

    def authenticate(self, username: str, password: str, now: datetime) -> Person | Refusal | None:
        """Whose name and password these are; None when they are nobody's. Raises DirectoryError."""
        if not is_typeable(username) or not password:
            return None
        by = self._by_template if self._settings.user_dn else self._by_search
        return self.servers.ask(lambda session: by(session, username, password, now))

    def find(self, username: str, now: datetime) -> Person | None:
        """The user of a name; DirectoryError where there are several."""

        def task(session: Session) -> Person | None:
            entry = self._entry(session, username)
            return self._person(session, entry, now) if entry else None

        return self.servers.ask(task)

    def people(self, subjects: Collection[str], now: datetime) -> Mapping[str, Person]:
        """Those of the users who are there now, by subject; DirectoryError unless that is beyond doubt."""
        return self.servers.ask(lambda session: self._all(session, sorted(subjects), now))

    def look(self, session: Session) -> list[str]:
        """See that a server shows users at all, or raise DirectoryError; the referrals there that are not followed."""
        base = self._settings.base_dn
        if not session.search(Query(base, self.schema.user_filter, (self.schema.id_attribute,), enough=1)):
            raise DirectoryError(f"{session.address} shows no user under {base}: see base_dn, user_filter and bind_dn")
        return session.skipped

    def _by_search(self, session: Session, username: str, password: str, now: datetime) -> Person | Refusal | None:
        entry = self._entry(session, username)
        dn, at = (entry.dn, entry.at) if entry else (f"{NOBODY},{self._settings.base_dn}", None)
        answer = session.password(dn, password, at)
        if entry is None:
            return None
        if not answer.accepted:
            log.info("%s does not let %s in: %s", session.address, entry.dn, answer.why)
            return Refusal(answer.tell) if answer.tell else None
        return self._person(session, entry, now)

    def _by_template(self, session: Session, username: str, password: str, now: datetime) -> Person | Refusal | None:
        template = self._settings.user_dn
        if "=" not in template and set(username) & set("@\\/"):
            return None  # in a principal's name these would lead to another domain
        name = template.replace("{username}", in_name(username) if "=" in template else username)
        answer = session.password(name, password)
        if not answer.accepted:
            log.info("%s does not let %s in: %s", session.address, name, answer.why)
            return Refusal(answer.tell) if answer.tell else None
        if not self._settings.bind_dn:
            session.act_as(Account(name, password))
        entry = self._entry(session, username, name if "=" in template else "")
        if entry is None:
            raise DirectoryError(f"{session.address} lets {name} in, and shows no such user: see base_dn, user_filter")
        return self._person(session, entry, now)

    def _entry(self, session: Session, username: str, dn: str = "") -> Entry | None:
        """The one entry of a name, or of a DN."""
        if dn:
            found = session.search(Query(dn, self.schema.user_filter, self._people.attributes, whole_tree=False))
        else:
            named = either(equals(attribute, username.strip()) for attribute in self.schema.login_attributes)
            found = self._search(session, named)
        if len(found) > 1:
            raise DirectoryError(f"{session.address} has {len(found)} users of one name: {found[0].dn}, {found[1].dn}")
        return found[0] if found else None

    def _all(self, session: Session, subjects: list[str], now: datetime) -> dict[str, Person]:
        found: dict[str, Person] = {}
        once = Once(session)
        for start in range(0, len(subjects), AT_ONCE):
            some = (subject_is(self.schema.id_attribute, subject) for subject in subjects[start : start + AT_ONCE])
            for entry in self._search(session, either(some)):
                found[self._people.subject(entry)] = self._person(session, entry, now, once)
        if not found:
            self.look(session)
        return found

    def _search(self, session: Session, condition: str) -> list[Entry]:
        return session.search(
            Query(self._settings.base_dn, both(self.schema.user_filter, condition), self._people.attributes)
        )

    def _person(self, session: Session, entry: Entry, now: datetime, searching: Searching | None = None) -> Person:
        person = self._people.person(entry, self._groups.of(searching or session, entry), now)
        if not person.subject or not person.name:
            lacks = self.schema.name_attribute if person.subject else self.schema.id_attribute
            raise DirectoryError(f"{session.address} does not show {lacks} of {entry.dn}: see login_schema, bind_dn")
        return person
