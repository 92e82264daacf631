"""OAuth clients (from 0.30), which stay good: their hashes come over as they are, and change on first use.

hskey-client-<12>-<64>   Argon2id of the last part, in PHC form; found by the 12 characters, which are the client's id
"""

import re
from collections.abc import Mapping

from hatsize.importing.findings import Findings
from hatsize.importing.keys import tags_of
from hatsize.importing.rows import Cells, Row, Tables, rows
from hatsize.importing.terms import Terms
from hatsize.tailnet.model import Credential, CredentialKind, User
from hatsize.tailnet.scopes import SCOPES, checked_scopes

ARGON2ID = re.compile(r"\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{12}")


def oauth_clients_of(tables: Tables, users: Mapping[int, User], terms: Terms, findings: Findings) -> list[Credential]:
    """The OAuth clients, with Headscale's ids, which may be those of other keys. Tokens live for an hour, and stay."""
    found = rows(tables, ["oauth_clients"], _label, findings)
    clients = [client for row in found if (client := _client(row, users, terms))]
    if found:
        findings.count("OAuth clients", len(found), len(clients))
    return clients


def _client(row: Row, users: Mapping[int, User], terms: Terms) -> Credential | None:
    kept, user_id, scopes = row.text("secret_hash"), row.number("user_id"), _scopes(row)
    if not CLIENT_ID.fullmatch(row.text("client_id")) or not ARGON2ID.fullmatch(kept):
        row.findings.left_out(row.name, "its secret is in no form that Headscale makes: make a new client")
        return None
    if not scopes:
        row.findings.left_out(row.name, "it may do nothing that is known here: make a new client")
        return None
    return Credential(
        id=row.id,
        kind=CredentialKind.OAUTH_CLIENT,
        prefix=row.text("client_id"),
        hash=f"argon2id:{kept}",
        user_id=user_id if user_id in users else None,
        scopes=scopes,
        tags=tags_of(row, {}),
        reusable=True,
        description=row.text("description"),
        created=row.time("created_at") or terms.unknown,
        revoked=row.time("revoked"),
    )


def _scopes(row: Row) -> tuple[str, ...]:
    """What the client may do, as far as it is known here."""
    given = row.texts("scopes")
    for unknown in (scope for scope in given if scope not in SCOPES):
        row.findings.changed(row.name, f"{unknown!r} is no scope here: comes over without")
    return checked_scopes([scope for scope in given if scope in SCOPES])


def _label(cells: Cells) -> str:
    return f"OAuth client {cells.get('client_id')}"
