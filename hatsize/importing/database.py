"""Reads a Headscale database, SQLite or PostgreSQL, of whatever release: the tables there are, as they are."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, inspect, make_url, quoted_name, select, table
from sqlalchemy import text as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.rows import Cells, Tables

NODES = ("nodes", "machines")
USERS = ("users", "namespaces")
READ = (
    *NODES, *USERS, "pre_auth_keys", "pre_auth_key_acl_tags", "api_keys", "routes", "policies", "oauth_clients",
)  # fmt: skip
"""The tables that matter, under all names they had; the first of several that are there counts."""


def read_tables(where: str | URL) -> Tables:
    """The rows of all tables that matter. `where` is a file, or a URL of SQLAlchemy's; it is only read.

    Raises ImportRefusedError when there is no Headscale database there.
    """
    url = _url(where)
    shown = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    with _in_words(str(shown)):
        engine = _engine(url)
        try:
            with engine.connect() as connection:
                tables = _read(connection)
        finally:
            engine.dispose()
    if not any(name in tables for name in NODES) or not any(name in tables for name in USERS):
        raise ImportRefusedError(f"{shown} holds no Headscale tables: name its database with --database")
    return tables


def _read(connection: Connection) -> Tables:
    there = set(inspect(connection).get_table_names())
    return {name: _rows(connection, name) for name in READ if name in there}


def _rows(connection: Connection, name: str) -> Sequence[Cells]:
    statement = select(sql("*")).select_from(table(quoted_name(name, quote=True)))
    return [dict(row) for row in connection.execute(statement).mappings()]


def _url(where: str | URL) -> URL:
    if isinstance(where, str) and "://" not in where:
        return URL.create("sqlite", database=where)
    try:
        url = make_url(where)
    except ArgumentError:
        raise ImportRefusedError("--database is neither a file nor a URL such as postgresql://USER@HOST/NAME") from None
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgres", "postgresql"} else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    path = Path(url.database or "")
    if not path.is_file():
        raise ImportRefusedError(f"{path} is not there: name Headscale's database with --database")
    return create_engine("sqlite://", creator=lambda: _open(path), poolclass=NullPool, hide_parameters=True)


def _open(path: Path) -> sqlite3.Connection:
    """The file, read only. Text that is not UTF-8 is damage, and no reason to stop."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.text_factory = _forgiving
    return connection


def _forgiving(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


@contextmanager
def _in_words(shown: str) -> Iterator[None]:
    try:
        yield
    except NoSuchModuleError as error:
        raise ImportRefusedError("--database: there is SQLite (a file) and postgresql://USER@HOST/NAME") from error
    except ModuleNotFoundError as error:
        raise ImportRefusedError("reading PostgreSQL needs its driver: pip install 'hatsize[postgres]'") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason: Any = getattr(error, "orig", None) or error
        raise ImportRefusedError(f"{shown} cannot be read: {str(reason).splitlines()[0]}") from error
