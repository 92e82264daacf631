"""What goes wrong with a file: writes fail in words, reads go on, and nothing needs a restart afterwards."""

import sqlite3

import pytest

from hatsize.builtin.storage import sqlite
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import ConflictError, StorageError
from hatsize.testing.contracts.storage_samples import a_credential, a_node, a_tailnet, a_user, change


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    storage.commit([change(a_tailnet(), a_user(1))], 0)
    yield storage
    storage.close()


def pragma(storage, text):
    with storage.database.reading() as connection:
        told = connection.exec_driver_sql(f"PRAGMA {text}")
        return told.scalar() if told.returns_rows else None


def fails(storage, words):
    """A commit is refused in words, with a hint, and nothing of it is kept while reads go on."""
    before = storage.load(1)
    with pytest.raises(StorageError, match=words) as told:
        storage.commit([change(*(a_node(n) for n in range(1, 200)))], before.seq)
    assert not isinstance(told.value, ConflictError)
    assert str(told.value).startswith("database /")
    assert storage.load(1) == before


def recovers(storage):
    assert storage.commit([change(a_node(1))], 1) == 2


def test_a_full_disk(storage):
    pragma(storage, f"max_page_count = {pragma(storage, 'page_count')}")
    fails(storage, "the disk is full; free some space and try again")
    pragma(storage, "max_page_count = 1000000")
    recovers(storage)


def test_a_read_only_file(storage):
    pragma(storage, "query_only = ON")
    fails(storage, "is read-only; make it writable and try again")
    pragma(storage, "query_only = OFF")
    recovers(storage)


def test_a_locked_database(storage, tmp_path):
    other = sqlite3.connect(tmp_path / "hatsize.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    fails(storage, "another process holds the database locked; .* try again in a moment")
    other.execute("ROLLBACK")
    other.close()
    recovers(storage)


def test_a_broken_rule_is_told_as_a_rule(storage):
    storage.commit([change(a_node(1))], 1)
    from msgspec.structs import replace

    twin = replace(a_node(2), given_name=a_node(1).given_name)
    with pytest.raises(StorageError, match="another node has the same given name"):
        storage.commit([change(twin)], 2)
    assert storage.commit([change(a_node(2))], 2) == 3


def test_a_key_of_another_tailnet_is_told_as_a_rule(storage):
    from msgspec.structs import replace

    storage.commit([change(a_credential(1))], 1)
    with pytest.raises(StorageError, match="another credential has the same prefix"):
        storage.commit([change(a_tailnet(2), replace(a_credential(1), tailnet=2), tailnet=2)], 0)


def test_a_number_no_column_holds(storage):
    from msgspec.structs import replace

    with pytest.raises(StorageError, match="too large"):
        storage.commit([change(replace(a_node(1), cap_version=2**70))], 1)
    recovers(storage)


def test_a_damaged_file(storage, tmp_path):
    storage.close()
    file = tmp_path / "hatsize.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageError, match="the file is damaged; stop the server and restore a backup"):
        SqlStorage(database_of("", tmp_path)).open()
    file.write_bytes(whole)
    storage.open()
    recovers(storage)
