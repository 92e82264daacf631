"""Which selectors a user or a set of tags answers to."""

from collections.abc import Iterable

from hatsize.policy.document import Document
from hatsize.policy.selectors import EVERYTHING, MEMBER, ROLES, SHARED, TAGGED, Kind, Selector
from hatsize.policy.topology import Topology
from hatsize.tailnet.model import Role, User

Names = frozenset[Selector]

_ROLE_GROUPS = {role: Selector(Kind.AUTOGROUP, name) for name, role in ROLES.items()}
_ADMIN = _ROLE_GROUPS[Role.ADMIN]
_STRANGER: Names = frozenset({EVERYTHING})


class Directory:
    """The selectors by user and by tags; remembers what it has worked out."""

    def __init__(self, document: Document, topology: Topology) -> None:
        self._groups: dict[str, list[Selector]] = {}
        for tables in (document.groups, topology.groups):
            for group, members in tables.items():
                for member in members:
                    self._groups.setdefault(member.casefold(), []).append(Selector(Kind.GROUP, group))
        self._users = topology.users
        self._of_user: dict[int, Names] = {}
        self._of_tags: dict[frozenset[str], Names] = {}

    def of(self, user_id: int | None, tags: frozenset[str], *, shared: bool = False) -> Names:
        """All selectors that name such a node by whose it is; `*` among them."""
        if tags:
            return self.of_tags(tags)
        user = self._users.get(user_id) if user_id is not None else None
        if user is None:
            return _STRANGER
        return frozenset({EVERYTHING, SHARED, _login(user)}) if shared else self.of_user(user)

    def of_tags(self, tags: frozenset[str]) -> Names:
        found = self._of_tags.get(tags)
        if found is None:
            found = frozenset({EVERYTHING, TAGGED, *(Selector(Kind.TAG, tag) for tag in tags)})
            self._of_tags[tags] = found
        return found

    def of_user(self, user: User) -> Names:
        found = self._of_user.get(user.id)
        if found is None:
            found = self._of_user[user.id] = frozenset(self._user_names(user))
        return found

    def _user_names(self, user: User) -> Iterable[Selector]:
        login = user.login_name
        yield from (EVERYTHING, MEMBER, _login(user))
        yield Selector(Kind.DOMAIN, login.rpartition("@")[2])
        yield from self._groups.get(login.casefold(), ())
        yield from (Selector(Kind.GROUP, group) for group in user.groups)
        if user.role in _ROLE_GROUPS:
            yield _ROLE_GROUPS[user.role]
        if user.role is Role.OWNER:
            yield _ADMIN


def _login(user: User) -> Selector:
    return Selector(Kind.USER, user.login_name.casefold())


def folded(selector: Selector) -> Selector:
    """The selector as a directory knows it: logins without regard to case."""
    return Selector(Kind.USER, selector.name.casefold()) if selector.kind is Kind.USER else selector
