"""Records from rows and rows from records."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from hatsize.builtin.storage.schema import TABLES
from hatsize.tailnet.model import Record


def fields(record: Record) -> dict[str, Any]:
    """A record's fields by column."""
    return {name: getattr(record, name) for name in record.__struct_fields__}


def read(connection: Connection, kind: type[Record], *where: ColumnElement[bool]) -> list[Any]:
    """The records of a table that meet all conditions, in the order of their ids."""
    table = TABLES[kind.table]
    names = kind.__struct_fields__
    found = connection.execute(select(table).where(*where).order_by(table.c.tailnet, table.c.id))
    return [kind(**dict(zip(names, row, strict=True))) for row in found]


def read_tailnet(
    connection: Connection, kind: type[Record], tailnet: int, ids: Sequence[int] | None = None
) -> list[Record]:
    """A tailnet's records of a table: all, or those with one of the ids."""
    table = TABLES[kind.table]
    wanted = () if ids is None else (table.c.id.in_(ids),)
    return read(connection, kind, table.c.tailnet == tailnet, *wanted)
