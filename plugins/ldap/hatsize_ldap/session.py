"""A conversation with one server: lookups with the service account, and whether passwords are right."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from hatsize_ldap.addresses import Address, Referral
from hatsize_ldap.binding import BindAnswer
from hatsize_ldap.entries import Entry, Query
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.links import Line, Link, link

REFERRALS = 3
"""How many times in a row an answer may lie elsewhere."""
ENDLESS = "{} refers from one server to another without an end"


@dataclass(frozen=True, slots=True)
class Account:
    """What lookups are made as; without a DN as nobody in particular."""

    dn: str = ""
    password: str = ""


class Session:
    """One server and, once asked, those it refers to. Blocks; lasts as long as `session` does."""

    def __init__(self, address: Address, line: Line, account: Account, referral_hosts: frozenset[str]) -> None:
        self.address = address
        self.skipped: list[str] = []
        """URLs of what was not searched, because referrals to there are not followed."""
        self._line = line
        self._account = account
        self._hosts = referral_hosts
        self._links: dict[Address, Link] = {}
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def search(self, query: Query) -> list[Entry]:
        """The entries that match, wherever the server says they are; a base that is not there has none."""
        return self._search(self.address, query, REFERRALS)

    def password(self, dn: str, password: str, at: Address | None = None) -> BindAnswer:
        """Whether a password is right, asked on a connection of its own, of the server that has the user."""
        address = at or self.address
        for _ in range(REFERRALS + 1):
            with link(address, self._line) as asked:
                answer = asked.bind(dn, password)
            if not answer.referrals:
                return answer
            referral = self._followed(address, answer.referrals)
            address, dn = referral.address, referral.base or dn
        raise DirectoryError(ENDLESS.format(self.address))

    def act_as(self, account: Account) -> None:
        """Make the lookups that follow as somebody else."""
        self._open.close()
        self._links.clear()
        self._account = account

    def _search(self, address: Address, query: Query, hops: int) -> list[Entry]:
        found = self._bound(address).search(query)
        if found.referred:
            if not hops:
                raise DirectoryError(ENDLESS.format(self.address))
            return self._on(self._followed(address, found.continued), query, hops)
        entries = found.entries
        for url in found.continued:
            referral = self._allowed(url)
            if referral is None or not hops:
                self.skipped.append(url)
            else:
                entries += self._on(referral, query, hops)
        return entries

    def _on(self, referral: Referral, query: Query, hops: int) -> list[Entry]:
        return self._search(referral.address, replace(query, base=referral.base or query.base), hops - 1)

    def _bound(self, address: Address) -> Link:
        """The connection for lookups, made at the first one."""
        if address not in self._links:
            made = self._open.enter_context(link(address, self._line))
            if self._account.dn:
                answer = made.bind(self._account.dn, self._account.password)
                if not answer.accepted:
                    raise DirectoryError(
                        f"{address} does not let {self._account.dn!r} in: {answer.why}; see bind_dn and bind_password"
                    )
            self._links[address] = made
        return self._links[address]

    def _followed(self, address: Address, urls: tuple[str, ...] | list[str]) -> Referral:
        """Where a referral leads; DirectoryError in words for one that is not followed."""
        followed = next((referral for url in urls if (referral := self._allowed(url))), None)
        if followed is None:
            where = ", ".join(urls) or "nowhere"
            raise DirectoryError(
                f"{address} refers to {where}, which is not followed: name it in servers, or its host in referral_hosts"
            )
        return followed

    def _allowed(self, url: str) -> Referral | None:
        referral = Referral.parse(url)
        return referral if referral is not None and referral.address.host.casefold() in self._hosts else None


@contextmanager
def session(address: Address, line: Line, account: Account, referral_hosts: frozenset[str]) -> Iterator[Session]:
    """A conversation with a server; its connections are closed with it."""
    made = Session(address, line, account, referral_hosts)
    try:
        yield made
    finally:
        made.close()
