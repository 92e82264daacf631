"""Auth keys and API keys, which stay good: their hashes come over in the scheme they are in, and change on first use.

hskey-auth-<12>-<64>, hskey-api-<12>-<64>   bcrypt of the last part; found by the 12 characters
<7 to 10 characters>.<secret>               API keys before 0.28: bcrypt of the secret
48 hexadecimal digits                       auth keys before 0.28, kept as they are: hashed here
"""

import re
from collections.abc import Mapping

from hatsize.importing.findings import Findings
from hatsize.importing.rows import Cells, Row, Tables, rows
from hatsize.importing.terms import Terms
from hatsize.tailnet.model import Credential, CredentialKind, User
from hatsize.tailnet.secrets import hashed, prefix_of

TAG = re.compile(r"tag:\S+")


def auth_keys_of(tables: Tables, users: Mapping[int, User], terms: Terms, findings: Findings) -> list[Credential]:
    """The auth keys, with their ids."""
    found = rows(tables, ["pre_auth_keys"], lambda cells: f"auth key {cells.get('id')}", findings)
    tags = _tag_table(tables)
    keys = [key for row in found if (key := _auth_key(row, users, tags, terms))]
    findings.count("auth keys", len(found), len(keys))
    return keys


def api_keys_of(tables: Tables, terms: Terms, findings: Findings) -> list[Credential]:
    """The API keys, with Headscale's ids, which may be those of auth keys."""
    found = rows(tables, ["api_keys"], _label, findings)
    keys = [key for row in found if (key := _api_key(row, terms))]
    findings.count("API keys", len(found), len(keys))
    return keys


def _auth_key(
    row: Row, users: Mapping[int, User], tag_table: Mapping[int, tuple[str, ...]], terms: Terms
) -> Credential | None:
    kept = _kept(row)
    user_id, tags = row.number("user_id") or row.number("namespace_id"), tags_of(row, tag_table)
    if kept is None:
        row.findings.left_out(row.name, "its secret is in no form that Headscale makes: make a new key")
        return None
    if user_id not in users and not tags:
        row.findings.left_out(row.name, f"its user {user_id or ''} is gone: make a new key".replace("  ", " "))
        return None
    return Credential(
        id=row.id,
        kind=CredentialKind.AUTH_KEY,
        prefix=kept[0],
        hash=kept[1],
        user_id=user_id if user_id in users else None,
        tags=tags,
        reusable=row.flag("reusable"),
        ephemeral=row.flag("ephemeral"),
        uses=int(row.flag("used")),
        description=row.text("description"),
        created=row.time("created_at") or terms.unknown,
        expires=row.time("expiration"),
        revoked=row.time("revoked"),
    )


def _api_key(row: Row, terms: Terms) -> Credential | None:
    prefix, kept = row.text("prefix"), row.text("hash")
    if not prefix or not kept.startswith("$2"):
        row.findings.left_out(row.name, "it has no hash that can be checked: make a new key")
        return None
    return Credential(
        id=row.id,
        kind=CredentialKind.API_KEY,
        prefix=prefix,
        hash=f"bcrypt:{kept}",
        scopes=("all",),
        reusable=True,
        created=row.time("created_at") or terms.unknown,
        expires=row.time("expiration"),
        last_used=row.time("last_seen"),
    )


def _kept(row: Row) -> tuple[str, str] | None:
    """Prefix and hash."""
    prefix, kept, plain = row.text("prefix"), row.text("hash"), row.text("key")
    if prefix and kept.startswith("$2"):
        return prefix, f"bcrypt:{kept}"
    found = prefix_of(plain)
    return (found, hashed(plain, found)) if found else None


def tags_of(row: Row, tag_table: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    """The key's tags, from its own column or the former table of them."""
    tags = row.texts("tags") or tag_table.get(row.id, ())
    for wrong in (tag for tag in tags if not TAG.fullmatch(tag)):
        row.findings.changed(row.name, f"{wrong!r} is not a tag: comes over without")
    return tuple(dict.fromkeys(tag for tag in tags if TAG.fullmatch(tag)))


def _tag_table(tables: Tables) -> Mapping[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for cells in tables.get("pre_auth_key_acl_tags", ()):
        key = cells.get("pre_auth_key_id")
        if isinstance(key, int) and cells.get("tag"):
            found[key] = (*found.get(key, ()), str(cells["tag"]))
    return found


def _label(cells: Cells) -> str:
    return f"API key {cells.get('id')} ({cells.get('prefix')})"
