"""Copies of a database in one SQLite file, taken while it is served from, and put back."""

import itertools
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.errors import sqlite_in_words
from hatsize.builtin.storage.files import BESIDE, exclusively, give_to_owner, sync_directory
from hatsize.builtin.storage.operations import Progress, silent
from hatsize.builtin.storage.operations.move import move
from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.hooks.storage import StorageError

PAGES_AT_ONCE = 1000


def backup(database: Database, target: Path, progress: Progress = silent) -> tuple[str, ...]:
    """Write a copy as of one moment to `target`, which is replaced when the copy is whole and on the disk.

    Of PostgreSQL the copy is an SQLite file too, with the same rows; for its own kind of backup there is `pg_dump`.
    Returns the tables that are not in it: those of plugins in PostgreSQL. Of SQLite it has everything.
    """
    left_out: tuple[str, ...] = ()
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        if isinstance(database, SqliteDatabase):
            _copy(database.path, unfinished, progress)
        else:
            left_out = _export(database, unfinished, progress)
        _settle(unfinished)
        unfinished.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise StorageError(f"backup {target}: cannot be written: {error.strerror}") from error
    finally:
        _remove(unfinished)
    return left_out


def restore(database: SqliteDatabase, source: Path, progress: Progress = silent) -> Path | None:
    """Put a backup in a closed database's place. The path the old file was kept under, None when there was none.

    StorageError, and nothing changed, when another process has the database open. For PostgreSQL, `move` the backup
    into an empty database.
    """
    _must_be_ours(source)
    path = database.path
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusively(path):
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600)
            give_to_owner(unfinished, path if path.exists() else path.parent)
            _copy(source, unfinished, progress)
            _settle(unfinished)
            kept = _set_aside(path)
            unfinished.replace(path)
            sync_directory(path.parent)
    except OSError as error:
        raise StorageError(f"{database.where}: cannot be restored: {error.strerror}") from error
    finally:
        _remove(unfinished)
    return kept


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Page by page, within one reading transaction: writers go on, and the copy does not see them."""
    with (
        sqlite_in_words(f"database {source}"),
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, isolation_level=None)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reader.backup(
            writer,
            pages=PAGES_AT_ONCE,
            progress=lambda _status, left, total: progress("copy pages", total - left, total),
        )


def _export(database: Database, target: Path, progress: Progress) -> tuple[str, ...]:
    copy = SqliteDatabase(target)
    copy.open()
    try:
        return move(database, copy, progress).left_out
    finally:
        copy.close()


def _settle(path: Path) -> None:
    """Make one sound file of a copy, on the disk."""
    with sqlite_in_words(f"database {path}"), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
    if verdict != "ok":
        raise StorageError(f"database {path}: the copy is damaged ({verdict}), and so may be what it was made from")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _must_be_ours(source: Path) -> None:
    """Refuse what is no backup of Hatsize, or one that a newer Hatsize made."""
    if not source.is_file():
        raise StorageError(f"backup {source}: there is no such file")
    query = f"SELECT version_num FROM {migrate.CORE.version_table}"  # noqa: S608 - our own name
    with (
        sqlite_in_words(f"backup {source}"),
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as connection,
    ):
        found = connection.execute(query).fetchone()
    if found is None or found[0] not in migrate.known():
        raise StorageError(f"backup {source}: was made by a newer Hatsize; restore it with that version")


def _set_aside(path: Path) -> Path | None:
    """Keep a database under another name, with its write-ahead log, which must not meet the new one."""
    if not path.exists():
        return None
    kept = _unused(path.with_name(path.name + ".before-restore"))
    for ending in BESIDE:
        if Path(f"{path}{ending}").exists():
            Path(f"{kept}{ending}").hardlink_to(f"{path}{ending}")
    for ending in BESIDE[1:]:
        Path(f"{path}{ending}").unlink(missing_ok=True)
    return kept


def _unused(path: Path) -> Path:
    """The path, numbered when there is such a file already."""
    candidates = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(candidate for candidate in candidates if not candidate.exists())


def _remove(path: Path) -> None:
    """Remove a database with all that lies beside it."""
    for ending in BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)
