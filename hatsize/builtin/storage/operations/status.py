"""What there is: engine, schema, size, and what each tailnet holds."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from hatsize.builtin.storage import migrate, rows
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.log import last_seq
from hatsize.builtin.storage.operations.move import tables_of_others
from hatsize.builtin.storage.schema import CHANGE, HEAD, TABLES
from hatsize.tailnet.model import Tailnet


@dataclass(frozen=True, slots=True)
class TailnetStatus:
    id: int
    name: str
    seq: int
    """The number of the last change."""
    log_from: int
    """The number of the oldest change still in the log, 0 when it is empty."""
    rows: dict[str, int]
    """How many rows there are, by table."""


@dataclass(frozen=True, slots=True)
class Status:
    engine: str
    where: str
    schema: str | None
    """The migration the database is at; None for an empty one."""
    program: str
    """The migration this program needs."""
    size: int
    """Bytes."""
    tailnets: tuple[TailnetStatus, ...]
    """Empty unless the schema is this program's."""
    other_tables: tuple[str, ...]
    """Tables beside Hatsize's own, as plugins have."""

    @property
    def current(self) -> bool:
        return self.schema == self.program


def status(database: Database) -> Status:
    """How an open database stands. Neither creates nor upgrades anything."""
    with database.reading() as connection:
        schema = migrate.current(connection)
        size = connection.scalar(text(database.pages)) or 0
        tailnets = rows.read(connection, Tailnet) if schema == HEAD else []
        held = tuple(_tailnet(connection, tailnet) for tailnet in tailnets)
        others = tables_of_others(connection)
    return Status(database.name, database.where, schema, HEAD, size, held, others)


def _tailnet(connection: Connection, tailnet: Tailnet) -> TailnetStatus:
    oldest = connection.scalar(select(func.min(CHANGE.c.seq)).where(CHANGE.c.tailnet == tailnet.id)) or 0
    counts = {
        name: connection.scalar(select(func.count()).select_from(table).where(table.c.tailnet == tailnet.id)) or 0
        for name, table in TABLES.items()
    }
    return TailnetStatus(tailnet.id, tailnet.name, last_seq(connection, tailnet.id), oldest, counts)
