"""SQLite under the storage's contract, and what is its own: the file, its rights, its log."""

import sqlite3
import stat

import pytest

from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import StorageError
from hatsize.testing.contracts.storage import StorageContract
from hatsize.testing.contracts.storage_samples import a_tailnet, change


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "hatsize.db"


class TestSqliteContract(StorageContract):
    @pytest.fixture
    def new_storage(self, path):
        return lambda: SqlStorage(SqliteDatabase(path))


@pytest.fixture
def storage(path):
    storage = SqlStorage(SqliteDatabase(path))
    storage.open()
    yield storage
    storage.close()


def test_the_file_and_its_log_are_readable_by_the_owner_alone(storage, path):
    storage.commit([change(a_tailnet())], 0)
    files = list(path.parent.iterdir())
    assert {file.name for file in files} == {"hatsize.db", "hatsize.db-wal", "hatsize.db-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_too_widely_readable_is_narrowed(path):
    path.parent.mkdir()
    path.touch(mode=0o644)
    storage = SqlStorage(SqliteDatabase(path))
    storage.open()
    storage.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_commits_reach_the_disk_before_they_are_answered(storage):
    with storage.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_times_sort_as_text(storage, path):
    storage.commit([change(a_tailnet())], 0)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT created FROM tailnet").fetchone() == ("2026-03-01T12:00:00.123456+00:00",)
    connection.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file/hatsize.db: cannot be made: .*; check the directory"):
        SqliteDatabase(tmp_path / "file" / "hatsize.db").open()


def test_a_file_of_another_kind_is_refused(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(StorageError, match="the file is not an SQLite database"):
        SqliteDatabase(path).open()


def test_a_closed_storage_says_so(path):
    with pytest.raises(StorageError, match="is not open"):
        SqlStorage(SqliteDatabase(path)).load(1)
