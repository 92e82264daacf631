"""The storage over SQL: one database, reached through whatever `Database` knows of its engine."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, select

from hatsize.builtin.storage import migrate, rows, secret
from hatsize.builtin.storage.commit import Batch, batch, writer
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.errors import LostConnectionError, ViolationError
from hatsize.builtin.storage.log import is_kept, last_seq, read_changes
from hatsize.builtin.storage.operations.trim import trim
from hatsize.builtin.storage.schema import COUNTER, SEQ
from hatsize.hooks.storage import ConflictError, Snapshot
from hatsize.tailnet.model import RECORDS, Change, Tailnet

T = TypeVar("T")


class SqlStorage:
    """Records in tables, one row each. See `hatsize.hooks.storage.Storage` for what its methods promise.

    A connection found broken is replaced once, silently; what cannot be done even so is a StorageError, and the next
    call tries anew.
    """

    def __init__(self, database: Database) -> None:
        self.name = database.name
        self.database = database
        self._writer = writer(database.name)
        self._counted: dict[int, dict[str, int]] = {}

    def open(self) -> None:
        self.database.open()
        try:
            migrate.upgrade(self.database)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.database.close()
        self._counted.clear()

    def tailnets(self) -> Sequence[Tailnet]:
        return self._read(lambda connection: rows.read(connection, Tailnet))

    def load(self, tailnet: int) -> Snapshot:
        return self._read(lambda connection: _snapshot(connection, tailnet))

    def commit(self, changes: Sequence[Change], expect: int) -> int:
        if not changes:
            return expect
        made = batch(changes, expect)
        try:
            self._write(made)
        except LostConnectionError:
            self._write_after_all(made)
        counted = self._counted.setdefault(made.tailnet, {})
        counted.update({name: max(last, counted.get(name, 0)) for name, last in made.last_ids.items()})
        return made.seq

    def changes(self, tailnet: int, after: int) -> Sequence[Change]:
        return self._read(lambda connection: read_changes(connection, tailnet, after))

    def wait(self, tailnet: int, after: int, timeout: float) -> int:
        deadline = time.monotonic() + timeout

        def wait() -> int:
            left = max(0.0, deadline - time.monotonic())
            return self.database.wait(tailnet, after, left, lambda connection: last_seq(connection, tailnet))

        return _twice(wait)

    def trim(self, before: datetime) -> int:
        return _twice(lambda: trim(self.database, before))

    def read_secret(self, name: str) -> bytes | None:
        return self._read(lambda connection: secret.read(connection, name))

    def write_secret(self, name: str, value: bytes) -> bytes:
        def write() -> bytes:
            with self.database.writing() as connection:
                return secret.write(connection, name, value)

        return _twice(write)

    def _read(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self.database.reading() as connection:
                return work(connection)

        return _twice(read)

    def _write(self, made: Batch) -> None:
        try:
            self._transact(made, replace=False)
        except ViolationError:
            self._transact(made, replace=True)

    def _write_after_all(self, made: Batch) -> None:
        """Write what may have been kept, its answer being lost, or may be kept yet by a server slow to notice."""
        if self._read(lambda connection: is_kept(connection, made.tailnet, made.entries)):
            return
        try:
            self._write(made)
        except ConflictError:
            if not self._read(lambda connection: is_kept(connection, made.tailnet, made.entries)):
                raise

    def _transact(self, made: Batch, *, replace: bool) -> None:
        with self.database.writing() as connection:
            self._writer.write(connection, made, self._counted.get(made.tailnet, {}), replace=replace)
            self.database.announce(connection, made.tailnet, made.seq)


def _twice(work: Callable[[], T]) -> T:
    """Do what may be done again, again, when the connection turns out to be broken."""
    try:
        return work()
    except LostConnectionError:
        return work()


def _snapshot(connection: Connection, tailnet: int) -> Snapshot:
    counters = select(COUNTER.c.name, COUNTER.c.last).where(COUNTER.c.tailnet == tailnet)
    last = {row.name: row.last for row in connection.execute(counters)}
    records = [record for kind in RECORDS for record in rows.read_tailnet(connection, kind, tailnet)]
    return Snapshot(seq=last.pop(SEQ, 0), records=records, last_ids=last)
