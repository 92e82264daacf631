"""Users: namespaces in the oldest releases, with profiles and a provider's identifier in the newer ones."""

from msgspec.structs import replace

from hatsize.importing.database import USERS
from hatsize.importing.findings import Findings
from hatsize.importing.rows import Cells, Row, Tables, rows
from hatsize.importing.terms import Terms
from hatsize.tailnet.model import Identity, User

PROVIDER = "oidc"
"""What Headscale calls its one identity provider; the OIDC plugin's provider must have this name."""


def users_of(tables: Tables, terms: Terms, findings: Findings) -> list[User]:
    """All users, with their ids. Two of one name are told apart by their id."""
    found = [_user(row, terms) for row in rows(tables, USERS, _label, findings)]
    taken: set[str] = set()
    users = []
    for user in found:
        named = user if user.name not in taken else replace(user, name=f"{user.name}-{user.id}")
        if named is not user:
            findings.changed(f"user {user.id} ({user.name})", f"another user has this name: is {named.name} now")
        taken.add(named.name)
        users.append(named)
    findings.count("users", len(found), len(users))
    return users


def _user(row: Row, terms: Terms) -> User:
    email, identifier = row.text("email"), row.text("provider_identifier")
    return User(
        id=row.id,
        name=row.text("name") or email or identifier or f"user-{row.id}",
        display_name=row.text("display_name"),
        email=email,
        picture_url=row.text("profile_pic_url"),
        identities=(Identity(PROVIDER, _subject(identifier, terms.issuer)),) if identifier else (),
        created=row.time("created_at") or terms.unknown,
    )


def _subject(identifier: str, issuer: str) -> str:
    """Headscale's identifier is the issuer's URL and the subject behind it, or the subject alone."""
    if issuer and identifier.startswith(issuer.rstrip("/") + "/"):
        return identifier[len(issuer.rstrip("/")) + 1 :]
    return identifier.rpartition("/")[2] if "://" in identifier else identifier


def _label(cells: Cells) -> str:
    return f"user {cells.get('id')} ({cells.get('name')})"
