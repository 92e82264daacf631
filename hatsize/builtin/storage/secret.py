"""Secrets all processes of one database share. The first one to write a secret decides what it is."""

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from hatsize.builtin.storage.schema import SECRET


def read(connection: Connection, name: str) -> bytes | None:
    """The secret, None when it was never written."""
    value = connection.scalar(select(SECRET.c.value).where(SECRET.c.name == name))
    return None if value is None else bytes(value)


def write(connection: Connection, name: str, value: bytes) -> bytes:
    """Write a secret unless there is one; what is stored now."""
    engine: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(engine.insert(SECRET).on_conflict_do_nothing(), {"name": name, "value": value})
    return read(connection, name) or value
