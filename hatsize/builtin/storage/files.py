"""SQLite's files: keeping other processes out of one, and whose they are."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hatsize.builtin.storage.errors import sqlite_in_words
from hatsize.hooks.storage import StorageError

BESIDE = ("", "-wal", "-shm", "-journal")
"""A database's files, by what their names end with."""

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Keep every other process out of a database inside; StorageError when one has it open.

    Its write-ahead log is taken into the file on the way. One that is not there, or is damaged, has no other users.
    """
    if not path.exists():
        yield
        return
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        _lock(connection, path)
        yield


def _lock(connection: sqlite3.Connection, path: Path) -> None:
    """SQLite gives up its log only to a connection that is the only one, whichever process the others are of."""
    with sqlite_in_words(f"database {path}"):
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorname in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
                raise StorageError(f"database {path}: another process has it open; stop it first") from None
            if not error.sqlite_errorname.startswith(DAMAGED):
                raise


def give_to_owner(path: Path, like: Path) -> None:
    """Let root's new file belong to whoever owns another one: the server's user must be able to open it."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_directory(path: Path) -> None:
    """Let what was renamed or linked in a directory survive the loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
