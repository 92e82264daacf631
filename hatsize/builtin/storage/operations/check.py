"""Whether the database holds together: what the state implies, and no constraint can say."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from hatsize.builtin.storage import rows
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.schema import CHANGE, COUNTER, SEQ, TABLES
from hatsize.tailnet.model import Credential, Node, Share, Tailnet, User


def check(database: Database) -> list[str]:
    """What is wrong, each a sentence that names the row; empty when all is well."""
    with database.reading() as connection:
        findings = list(_file(connection))
        known = {tailnet.id for tailnet in rows.read(connection, Tailnet)}
        findings += _strays(connection, known)
        for tailnet in sorted(known):
            findings += _tailnet(connection, tailnet)
    return findings


def _tailnet(connection: Connection, tailnet: int) -> Iterator[str]:
    where = f"tailnet {tailnet}: "
    for look in (_nodes, _belongings, _sequence, _counters):
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


def _nodes(connection: Connection, tailnet: int) -> Iterator[str]:
    users = {user.id for user in rows.read_tailnet(connection, User, tailnet)}
    nodes = rows.read(connection, Node, TABLES[Node.table].c.tailnet == tailnet)
    for node in nodes:
        if not node.tags and node.user_id not in users:
            yield f"node {node.id} ({node.given_name}) is owned by user {node.user_id}, who is not there"
    held = Counter(address for node in nodes for address in node.addresses)
    yield from (f"address {address} is held by {count} nodes" for address, count in held.items() if count > 1)


def _belongings(connection: Connection, tailnet: int) -> Iterator[str]:
    users = {user.id for user in rows.read_tailnet(connection, User, tailnet)}
    nodes = {node.id for node in rows.read_tailnet(connection, Node, tailnet)}
    for share in rows.read(connection, Share, TABLES[Share.table].c.tailnet == tailnet):
        if share.node_id not in nodes:
            yield f"share {share.id} is of node {share.node_id}, which is not there"
    for credential in rows.read(connection, Credential, TABLES[Credential.table].c.tailnet == tailnet):
        if credential.user_id is not None and credential.user_id not in users and credential.revoked is None:
            yield f"credential {credential.id} belongs to user {credential.user_id}, who is not there"


def _sequence(connection: Connection, tailnet: int) -> Iterator[str]:
    """The log may begin late, but goes on without a hole up to the number last given out."""
    query = select(func.count(), func.min(CHANGE.c.seq), func.max(CHANGE.c.seq)).where(CHANGE.c.tailnet == tailnet)
    count, first, last = connection.execute(query).one()
    if count and last - first + 1 != count:
        yield f"the log has {count} changes between {first} and {last}"
    given = _counted(connection, tailnet).get(SEQ, 0)
    if count and last != given:
        yield f"the log ends at {last}, but the last number given out is {given}"


def _counters(connection: Connection, tailnet: int) -> Iterator[str]:
    counted = _counted(connection, tailnet)
    for name, table in TABLES.items():
        highest = connection.scalar(select(func.max(table.c.id)).where(table.c.tailnet == tailnet)) or 0
        if highest > counted.get(name, 0):
            yield f"{name} {highest} is there, but the last id given out is {counted.get(name, 0)}"


def _counted(connection: Connection, tailnet: int) -> dict[str, int]:
    query = select(COUNTER.c.name, COUNTER.c.last).where(COUNTER.c.tailnet == tailnet)
    return {row.name: row.last for row in connection.execute(query)}
