"""A database copied row by row into another one, whatever their engines, and compared by checksum."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, insert, inspect, select

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.operations import Progress, silent
from hatsize.builtin.storage.schema import HEAD, metadata
from hatsize.hooks.storage import StorageError

ROWS_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to."""

    rows: dict[str, int]
    """How many, by table."""
    checksum: str
    """Of all rows, the same on both sides."""
    left_out: tuple[str, ...]
    """Tables beside Hatsize's own, as plugins have: they stay where they are."""


def move(source: Database, target: Database, progress: Progress = silent) -> Moved:
    """Copy everything of an open database into an open empty one; StorageError, and nothing copied, when they differ.

    The source is read as of one moment and not changed: whoever keeps serving from it must be stopped first.
    """
    migrate.upgrade(target)
    with source.reading() as reader:
        if migrate.current(reader) != HEAD:
            raise StorageError(f"{source.where}: is not at schema {HEAD}; upgrade it first (`hatsize db upgrade`)")
        with target.writing() as writer:
            _must_be_empty(writer, target)
            moved = {table.name: _copy(reader, writer, table, progress) for table in metadata.sorted_tables}
            wanted, found = checksum(reader, progress), checksum(writer, progress)
            if wanted != found:
                raise StorageError(
                    f"{target.where}: what was written reads differently (checksum {found}, not {wanted})"
                )
        return Moved(moved, wanted, tables_of_others(reader))


def tables_of_others(connection: Connection) -> tuple[str, ...]:
    """The tables that are there beside Hatsize's own, by name."""
    ours = {*metadata.tables, migrate.CORE.version_table}
    return tuple(sorted(set(inspect(connection).get_table_names()) - ours))


def checksum(connection: Connection, progress: Progress = silent) -> str:
    """One number for all rows, whatever their order, the same on both engines."""
    total = 0
    for table in metadata.sorted_tables:
        rows = _count(connection, table)
        with _stream(connection, table) as found:
            for done, row in enumerate(found, 1):
                digest = hashlib.blake2b(_encode([str(table.name), *row]), digest_size=16).digest()
                total += int.from_bytes(digest, "big")
                if done % ROWS_AT_ONCE == 0 or done == rows:
                    progress(f"verify {table.name}", done, rows)
    return f"{total % 2**128:032x}"


def _copy(reader: Connection, writer: Connection, table: Table, progress: Progress) -> int:
    rows, done = _count(reader, table), 0
    statement, names = insert(table), [column.name for column in table.columns]
    with _stream(reader, table) as found:
        for part in found.partitions(ROWS_AT_ONCE):
            writer.execute(statement, [dict(zip(names, row, strict=True)) for row in part])
            done += len(part)
            progress(f"copy {table.name}", done, rows)
    return done


def _stream(connection: Connection, table: Table) -> Any:
    """A table's rows, a few hundred in memory at a time."""
    return connection.execute(select(table), execution_options={"yield_per": ROWS_AT_ONCE})


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _must_be_empty(connection: Connection, target: Database) -> None:
    for table in metadata.sorted_tables:
        if _count(connection, table):
            raise StorageError(f"{target.where}: is not empty (there are rows in {table.name}); name an empty database")
