"""A storage that forgets: for tests that are about something else."""

import threading
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from hatsize.hooks.storage import ConflictError, LogTrimmedError, Snapshot, StorageError
from hatsize.tailnet.model import Change, Record, Tailnet


class MemoryStorage:
    """Keeps the storage's contract as long as the object lives, `open` and `close` notwithstanding.

    With `failing` set, every commit is refused with a StorageError of that text.
    """

    name = "memory"

    def __init__(self) -> None:
        self.failing = ""
        self.commits = 0
        self._rows: dict[int, dict[tuple[str, int], Record]] = {}
        self._log: dict[int, list[Change]] = {}
        self._trimmed: dict[int, int] = {}
        """By tailnet how many entries the log has lost at its beginning."""
        self._last_ids: dict[int, dict[str, int]] = {}
        self._secrets: dict[str, bytes] = {}
        self._closings = 0
        self._news = threading.Condition()

    def open(self) -> None:
        """Nothing to connect to."""

    def close(self) -> None:
        """Let go of whoever waits."""
        with self._news:
            self._closings += 1
            self._news.notify_all()

    def tailnets(self) -> Sequence[Tailnet]:
        rows = [row for table in self._rows.values() for row in table.values()]
        return [row for row in rows if isinstance(row, Tailnet)]

    def load(self, tailnet: int) -> Snapshot:
        with self._news:
            rows = list(self._rows.get(tailnet, {}).values())
            return Snapshot(self._seq(tailnet), rows, dict(self._last_ids.get(tailnet, {})))

    def commit(self, changes: Sequence[Change], expect: int) -> int:
        with self._news:
            if self.failing:
                raise StorageError(self.failing)
            tailnet = changes[0].tailnet
            log = self._log.setdefault(tailnet, [])
            if self._seq(tailnet) != expect:
                raise ConflictError(f"the log is at {self._seq(tailnet)}, not {expect}")
            for change in changes:
                log.append(replace(change, seq=self._seq(tailnet) + 1))
                self._keep(change)
            self.commits += 1
            self._news.notify_all()
            return self._seq(tailnet)

    def changes(self, tailnet: int, after: int) -> Sequence[Change]:
        with self._news:
            rows = self._rows.get(tailnet, {})
            if after < self._trimmed.get(tailnet, 0):
                raise LogTrimmedError(f"the change log of tailnet {tailnet} no longer reaches back to {after}")
            return [
                replace(change, puts=tuple(rows[key] for row in change.puts if (key := (row.table, row.id)) in rows))
                for change in self._log.get(tailnet, [])[after - self._trimmed.get(tailnet, 0) :]
            ]

    def wait(self, tailnet: int, after: int, timeout: float) -> int:
        with self._news:
            closings = self._closings
            self._news.wait_for(lambda: self._closings != closings or self._seq(tailnet) > after, timeout)
            return self._seq(tailnet)

    def trim(self, before: datetime) -> int:
        with self._news:
            return sum(self._trim(tailnet, log, before) for tailnet, log in self._log.items())

    def read_secret(self, name: str) -> bytes | None:
        return self._secrets.get(name)

    def write_secret(self, name: str, value: bytes) -> bytes:
        return self._secrets.setdefault(name, value)

    def _seq(self, tailnet: int) -> int:
        return self._trimmed.get(tailnet, 0) + len(self._log.get(tailnet, ()))

    def _trim(self, tailnet: int, log: list[Change], before: datetime) -> int:
        kept = next((place for place, change in enumerate(log) if change.at >= before), max(len(log) - 1, 0))
        del log[:kept]
        self._trimmed[tailnet] = self._trimmed.get(tailnet, 0) + kept
        return kept

    def _keep(self, change: Change) -> None:
        rows = self._rows.setdefault(change.tailnet, {})
        last = self._last_ids.setdefault(change.tailnet, {})
        for key in change.deletes:
            rows.pop(key, None)
        for row in change.puts:
            rows[row.table, row.id] = row
            last[row.table] = max(last.get(row.table, 0), row.id)
