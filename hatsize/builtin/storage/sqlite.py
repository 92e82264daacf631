"""SQLite: one file, one connection, a write-ahead log, and every commit on the disk before it is answered."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from hatsize.builtin.storage.errors import in_words
from hatsize.builtin.storage.files import exclusively, give_to_owner
from hatsize.hooks.storage import StorageError

BUSY_SECONDS = 5.0
POLL_SECONDS = 0.1
"""How soon a commit of another process is noticed; one of this process is noticed at once."""
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -16000",
)


class SqliteDatabase:
    """An SQLite file, readable by its owner alone. One transaction at a time; a waiter does not hold up the others."""

    name = "sqlite"
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = f"database {path}"
        self._engine: Engine | None = None
        self._watcher: sqlite3.Connection | None = None
        self._turn = threading.RLock()
        self._news = threading.Condition()
        self._commits = 0

    def open(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch(mode=0o600)
                give_to_owner(self.path, self.path.parent)
            self.path.chmod(0o600)
        except OSError as error:
            raise StorageError(f"{self.where}: cannot be made: {error.strerror}; check the directory") from error
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: self._connect(),  # noqa: PLW0108 - looked up at each call
            poolclass=StaticPool,
            hide_parameters=True,
        )
        event.listen(self._engine, "begin", _begin)
        try:
            with self.reading():
                pass
        except StorageError:
            self.close()
            raise

    def refuse_company(self) -> None:
        with exclusively(self.path):
            pass

    def close(self) -> None:
        with self._turn:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.dispose()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._wake()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._turn, in_words(self.where), self._opened().begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._turn, in_words(self.where), self._opened().connect() as connection:
            connection.execution_options(hatsize_writes=True)
            with connection.begin():
                yield connection
        self._wake()

    def lock_schema(self, connection: Connection) -> None:
        """A writing transaction locks all of an SQLite file."""

    def announce(self, connection: Connection, tailnet: int, seq: int) -> None:
        """Leaving `writing` wakes this process; others see the file's version move."""

    def wait(self, tailnet: int, after: int, timeout: float, last: Callable[[Connection], int]) -> int:  # noqa: ARG002
        deadline = time.monotonic() + timeout
        while True:
            with self._news:
                commits = self._commits
            version = self._version()
            with self.reading() as connection:
                seq = last(connection)
            if seq > after or not self._changed(version, commits, deadline):
                return seq

    def _changed(self, version: int, commits: int, deadline: float) -> bool:
        """Whether anything was committed, by whomever, before the deadline."""
        while self._engine is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._news:
                self._news.wait_for(lambda: self._commits != commits, min(POLL_SECONDS, left))
                if self._commits != commits:
                    return True
            if self._version() != version:
                return True
        return False

    def _version(self) -> int:
        """A number that moves when any other connection commits."""
        with self._turn, in_words(self.where):
            self._opened()
            if self._watcher is None:
                self._watcher = self._connect()
            version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
            return version

    def _wake(self) -> None:
        with self._news:
            self._commits += 1
            self._news.notify_all()

    def _opened(self) -> Engine:
        if self._engine is None:
            raise StorageError(f"{self.where}: is not open")
        return self._engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _begin(connection: Connection) -> None:
    """Take the write lock at the start, so that a transaction that read first is not refused when it writes."""
    writes: Any = connection.get_execution_options().get("hatsize_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
