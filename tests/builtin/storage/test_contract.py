"""The contract holds for a storage that has nothing to do with SQL: what a third party would write."""

import threading

import msgspec
import pytest

from hatsize.hooks.storage import ConflictError, LogTrimmedError, Snapshot, Storage
from hatsize.tailnet.model import Tailnet
from hatsize.testing.contracts.storage import StorageContract


class Place:
    """What the storages of one test share."""

    def __init__(self):
        self.rows = {}
        self.log = {}
        self.last_ids = {}
        self.secrets = {}
        self.trimmed = {}
        self.news = threading.Condition()


class MemoryStorage:
    """A storage in memory, as long as its place lives."""

    name = "memory"

    def __init__(self, place):
        self.place = place
        self.closed = True

    def open(self):
        self.closed = False

    def close(self):
        with self.place.news:
            self.closed = True
            self.place.news.notify_all()

    def tailnets(self):
        tables = (rows for _, rows in sorted(self.place.rows.items()))
        return [record for rows in tables for record in rows.values() if isinstance(record, Tailnet)]

    def load(self, tailnet):
        with self.place.news:
            rows = list(self.place.rows.get(tailnet, {}).values())
            return Snapshot(self._seq(tailnet), rows, dict(self.place.last_ids.get(tailnet, {})))

    def commit(self, changes, expect):
        tailnet = changes[0].tailnet
        with self.place.news:
            if self._seq(tailnet) != expect:
                raise ConflictError("gone on")
            for change in changes:
                self._keep(change)
            self.place.news.notify_all()
            return self._seq(tailnet)

    def changes(self, tailnet, after):
        with self.place.news:
            rows = self.place.rows.get(tailnet, {})
            if after < self.place.trimmed.get(tailnet, 0):
                raise LogTrimmedError("trimmed")
            return [
                msgspec.structs.replace(
                    change,
                    puts=tuple(rows[r.table, r.id] for r in change.puts if (r.table, r.id) in rows),
                )
                for change in self.place.log.get(tailnet, [])[after - self.place.trimmed.get(tailnet, 0) :]
            ]

    def wait(self, tailnet, after, timeout):
        with self.place.news:
            self.place.news.wait_for(lambda: self.closed or self._seq(tailnet) > after, timeout)
            return self._seq(tailnet)

    def trim(self, before):
        forgotten = 0
        for tailnet, log in self.place.log.items():
            kept = next((place for place, change in enumerate(log) if change.at >= before), len(log) - 1)
            del log[:kept]
            self.place.trimmed[tailnet] = self.place.trimmed.get(tailnet, 0) + kept
            forgotten += kept
        return forgotten

    def read_secret(self, name):
        return self.place.secrets.get(name)

    def write_secret(self, name, value):
        return self.place.secrets.setdefault(name, value)

    def _seq(self, tailnet):
        return self.place.trimmed.get(tailnet, 0) + len(self.place.log.get(tailnet, []))

    def _keep(self, change):
        rows = self.place.rows.setdefault(change.tailnet, {})
        last = self.place.last_ids.setdefault(change.tailnet, {})
        for key in change.deletes:
            rows.pop(key, None)
        for record in change.puts:
            rows[record.table, record.id] = record
            last[record.table] = max(record.id, last.get(record.table, 0))
        log = self.place.log.setdefault(change.tailnet, [])
        log.append(msgspec.structs.replace(change, seq=len(log) + 1))


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def new_storage(self):
        place = Place()
        return lambda: MemoryStorage(place)


def test_is_a_storage_by_its_type():
    storage: Storage = MemoryStorage(Place())
    assert storage.name == "memory"
