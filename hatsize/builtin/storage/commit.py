"""Writing changes: what they amount to, row by row, and the statements that make it so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from hatsize.builtin.storage.log import entry
from hatsize.builtin.storage.rows import fields
from hatsize.builtin.storage.schema import CHANGE, COUNTER, SEQ, TABLES
from hatsize.hooks.storage import ConflictError
from hatsize.tailnet.model import RECORDS, Change, Record


@dataclass(slots=True)
class Batch:
    """What several changes of one tailnet amount to."""

    tailnet: int
    expect: int
    entries: list[dict[str, Any]]
    puts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows by table."""
    deletes: dict[str, list[int]] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return self.expect + len(self.entries)


def batch(changes: Sequence[Change], expect: int) -> Batch:
    """Only a row's last version is written; ids are counted though their row be gone again."""
    tailnet = changes[0].tailnet
    made = Batch(tailnet, expect, [entry(change, expect + n) for n, change in enumerate(changes, 1)])
    final: dict[tuple[str, int], Record | None] = {}
    for change in changes:
        for key in change.deletes:
            final.pop(key, None)
            final[key] = None
        for record in change.puts:
            final.pop((record.table, record.id), None)
            final[record.table, record.id] = record
            made.last_ids[record.table] = max(made.last_ids.get(record.table, 0), record.id)
    for (table, record_id), row in final.items():
        if row is None:
            made.deletes.setdefault(table, []).append(record_id)
        else:
            made.puts.setdefault(table, []).append(fields(row))
    return made


@cache
def writer(dialect: str) -> "Writer":
    """The writer of all stores of an engine, `sqlite` or `postgresql`."""
    return Writer(dialect)


class Writer:
    """The statements of one engine."""

    def __init__(self, dialect: str) -> None:
        engine: Any = {"sqlite": sqlite, "postgresql": postgresql}[dialect]
        greatest = func.max if dialect == "sqlite" else func.greatest
        self._upsert = {name: _upsert(engine, name) for name in TABLES}
        self._delete = {
            name: delete(table).where(table.c.tailnet == bindparam("of"), table.c.id == bindparam("row"))
            for name, table in TABLES.items()
        }
        count = engine.insert(COUNTER)
        self._count = count.on_conflict_do_update(
            index_elements=("tailnet", "name"), set_={"last": greatest(COUNTER.c.last, count.excluded.last)}
        )
        self._first = engine.insert(COUNTER).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        self._move = update(COUNTER).where(
            COUNTER.c.tailnet == bindparam("of"), COUNTER.c.name == SEQ, COUNTER.c.last == bindparam("expect")
        )

    def write(self, connection: Connection, made: Batch, counted: dict[str, int], *, replace: bool) -> None:
        """Write a batch in the transaction under way; ConflictError when the log has gone on since it was made.

        `counted` are the last ids known to be in the database: those need no writing. With `replace` old rows are taken
        away first: two that swap a name are right together, and wrong one after the other.
        """
        self._take_numbers(connection, made)
        self._delete_rows(connection, made.tailnet, made.deletes)
        if replace:
            self._delete_rows(
                connection, made.tailnet, {table: [row["id"] for row in rows] for table, rows in made.puts.items()}
            )
        for kind in RECORDS:
            if rows := made.puts.get(kind.table):
                connection.execute(self._upsert[kind.table], rows)
        connection.execute(insert(CHANGE), made.entries)
        for name, last in made.last_ids.items():
            if last > counted.get(name, 0):
                connection.execute(self._count, {"tailnet": made.tailnet, "name": name, "last": last})

    def _take_numbers(self, connection: Connection, made: Batch) -> None:
        """Move the tailnet's number on, and hold it until the end of the transaction."""
        if made.expect:
            taken = connection.execute(self._move, {"of": made.tailnet, "expect": made.expect, "last": made.seq})
        else:
            taken = connection.execute(self._first, {"tailnet": made.tailnet, "name": SEQ, "last": made.seq})
        if taken.rowcount != 1:
            raise ConflictError(f"tailnet {made.tailnet} has gone on since change {made.expect}: read it and try again")

    def _delete_rows(self, connection: Connection, tailnet: int, deletes: dict[str, list[int]]) -> None:
        for table, ids in deletes.items():
            connection.execute(self._delete[table], [{"of": tailnet, "row": i} for i in ids])


def _upsert(engine: Any, name: str) -> Any:
    statement = engine.insert(TABLES[name])
    rest = {column.name: statement.excluded[column.name] for column in TABLES[name].c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=("tailnet", "id"), set_=rest)
