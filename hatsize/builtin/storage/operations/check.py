"""Whether the database holds together: what the state implies, and no constraint can say."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from hatsize.builtin.storage import rows
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.operations.check_log import check_log, counters
from hatsize.builtin.storage.schema import TABLES, UNIQUE
from hatsize.tailnet.model import Credential, CredentialKind, Node, Service, Share, Tailnet, User


def check(database: Database) -> list[str]:
    """What is wrong, each a sentence that names the row; empty when all is well."""
    with database.reading() as connection:
        findings = list(_file(connection))
        known = {tailnet.id for tailnet in rows.read(connection, Tailnet)}
        findings += _strays(connection, known)
        findings += _twins(connection)
        for tailnet in sorted(known):
            findings += _tailnet(connection, tailnet)
    return findings


def _tailnet(connection: Connection, tailnet: int) -> Iterator[str]:
    where = f"tailnet {tailnet}: "
    for look in (_nodes, _belongings, _keys, check_log, _counters):
        yield from (where + finding for finding in look(connection, tailnet))


def _file(connection: Connection) -> Iterator[str]:
    """What SQLite finds in its own file. PostgreSQL's files are its administrator's to check."""
    if connection.dialect.name != "sqlite":
        return
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield f"file: {line}"


def _strays(connection: Connection, known: set[int]) -> Iterator[str]:
    for name, table in TABLES.items():
        for stray in set(connection.scalars(select(table.c.tailnet).distinct())) - known:
            yield f"tailnet {stray}: is not there, but has rows in {name}"


def _twins(connection: Connection) -> Iterator[str]:
    """Rows that have alike what no two may: a constraint forbids them, unless the file was damaged or it was lost."""
    for kind, rules in UNIQUE.items():
        for names in rules:
            columns = [TABLES[kind.table].c[name] for name in names]
            some = columns[-1].is_not(None)
            for *_, value, count in connection.execute(
                select(*columns, func.count()).where(some).group_by(*columns).having(func.count() > 1)
            ):
                yield f"{count} rows of {kind.table} have the same {names[-1]}: {value}"


def _nodes(connection: Connection, tailnet: int) -> Iterator[str]:
    users = {user.id for user in rows.read_tailnet(connection, User, tailnet)}
    nodes = rows.read(connection, Node, TABLES[Node.table].c.tailnet == tailnet)
    for node in nodes:
        if not node.tags and node.user_id not in users:
            yield f"node {node.id} ({node.given_name}) is owned by user {node.user_id}, who is not there"
    services = rows.read(connection, Service, TABLES[Service.table].c.tailnet == tailnet)
    held = Counter(address for holder in (*nodes, *services) for address in holder.addresses)
    yield from (f"address {address} is held {count} times" for address, count in held.items() if count > 1)


def _belongings(connection: Connection, tailnet: int) -> Iterator[str]:
    users = {user.id for user in rows.read_tailnet(connection, User, tailnet)}
    nodes = {node.id for node in rows.read_tailnet(connection, Node, tailnet)}
    for share in rows.read(connection, Share, TABLES[Share.table].c.tailnet == tailnet):
        if share.node_id not in nodes:
            yield f"share {share.id} is of node {share.node_id}, which is not there"
    for credential in rows.read(connection, Credential, TABLES[Credential.table].c.tailnet == tailnet):
        if credential.user_id is not None and credential.user_id not in users and credential.revoked is None:
            yield f"credential {credential.id} belongs to user {credential.user_id}, who is not there"


def _keys(connection: Connection, tailnet: int) -> Iterator[str]:
    for key in rows.read(connection, Credential, TABLES[Credential.table].c.tailnet == tailnet):
        if key.kind is CredentialKind.AUTH_KEY and not key.reusable and key.uses > 1:
            yield f"auth key {key.id} is for one use, but was used {key.uses} times"


def _counters(connection: Connection, tailnet: int) -> Iterator[str]:
    counted = counters(connection, tailnet)
    for name, table in TABLES.items():
        highest = connection.scalar(select(func.max(table.c.id)).where(table.c.tailnet == tailnet)) or 0
        if highest > counted.get(name, 0):
            yield f"{name} {highest} is there, but the last id given out is {counted.get(name, 0)}"
