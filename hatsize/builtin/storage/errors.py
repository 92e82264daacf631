"""A database's complaints in the words of whoever has to mend them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from hatsize.builtin.storage.schema import metadata
from hatsize.hooks.storage import StorageError


class LostConnectionError(StorageError):
    """The database went away in the middle; whether a commit under way was kept is in the log, once it is back."""


class ViolationError(StorageError):
    """A row the database does not take, because it contradicts another one."""


SQLITE: dict[str, str] = {
    "SQLITE_FULL": "the disk is full; free some space and try again",
    "SQLITE_READONLY": "the file or its file system is read-only; make it writable and try again",
    "SQLITE_BUSY": "another process holds the database locked; end that process or try again in a moment",
    "SQLITE_LOCKED": "another process holds the database locked; end that process or try again in a moment",
    "SQLITE_IOERR": "the disk does not read or write; look at the system's log, then try again",
    "SQLITE_CORRUPT": "the file is damaged; stop the server and restore a backup (`hatsize db restore`)",
    "SQLITE_NOTADB": "the file is not an SQLite database; move it away, or name another one in database.url",
    "SQLITE_CANTOPEN": "the file cannot be opened; check that the directory exists and belongs to the server's user",
}
"""What an SQLite error means, by the beginning of its name."""

POSTGRES: dict[str, str] = {
    "53100": "the server's disk is full; free some space and try again",
    "53300": "the server takes no more connections; raise max_connections or try again in a moment",
    "25006": "the server is read-only, as a standby is; try again when it has been promoted",
    "57014": "the query took too long and was ended; try again when the server is less busy",
    "55P03": "another process holds the rows locked; try again in a moment",
    "40001": "another process changed the same rows; try again",
    "40P01": "another process changed the same rows; try again",
    "28": "the user or password is not accepted; check database.url",
    "3D000": "there is no such database; create it, or name another one in database.url",
    "42501": "the user lacks a privilege; make it the owner of the database",
    "57P": "the server is restarting; try again in a moment",
    "25P": "the transaction waited too long and was ended; try again",
}
"""What an SQLSTATE means, by its beginning."""


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Raise what the database or its driver raises inside as a StorageError."""
    try:
        yield
    except IntegrityError as error:
        raise ViolationError(f"{where}: {violation(error)}") from error
    except DBAPIError as error:
        reason = _reason(error.orig)
        if error.connection_invalidated:
            raise LostConnectionError(f"{where}: {reason}") from error
        raise StorageError(f"{where}: {reason}") from error
    except (SQLAlchemyError, OverflowError) as error:
        raise StorageError(f"{where}: {_first_line(error)}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise StorageError(f"{where}: a row cannot be read or written: {_first_line(error)}") from error


@contextmanager
def sqlite_in_words(where: str) -> Iterator[None]:
    """Raise what SQLite raises inside, where it is used without SQLAlchemy, as a StorageError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"{where}: {_reason(error)}") from error


def _reason(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None) or ""
    name = getattr(error, "sqlite_errorname", None) or ""
    for beginning, words in (SQLITE if name else POSTGRES).items():
        if (name or state).startswith(beginning):
            return words
    if hasattr(error, "sqlstate") and not state:
        return f"the server cannot be reached ({_first_line(error)}); try again when it is back"
    return _first_line(error)


def _first_line(error: BaseException | None) -> str:
    """The driver's own words; of the rest, which may quote a row, nothing is shown."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def violation(error: IntegrityError) -> str:
    """Which rule a row breaks: `another node has the same given name`."""
    diagnosis = getattr(error.orig, "diag", None)
    table, field = _by_name(diagnosis.constraint_name) if diagnosis else _by_columns(str(error.orig))
    if not table:
        return f"a row contradicts another one ({_first_line(error.orig)})"
    return f"another {table.replace('_', ' ')} has the same {field.replace('_', ' ')}"


def _by_name(constraint: str | None) -> tuple[str, str]:
    for table in metadata.tables.values():
        for unique in table.constraints:
            if isinstance(unique, UniqueConstraint) and unique.name == constraint:
                return table.name, list(unique.columns)[-1].name
    return "", ""


def _by_columns(message: str) -> tuple[str, str]:
    """From `UNIQUE constraint failed: node.tailnet, node.given_name`."""
    kind, _, columns = message.partition(" constraint failed: ")
    table, _, field = columns.rpartition(" ")[2].partition(".")
    return (table, field) if kind == "UNIQUE" else ("", "")
