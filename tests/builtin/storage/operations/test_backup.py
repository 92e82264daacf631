"""Copies of a database, taken while it is written to, and put back."""

import stat
import threading

import pytest

from hatsize.builtin.storage.operations.backup import backup, restore
from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import StorageError
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change, one_of_each


def test_a_backup_is_one_private_file_with_everything(storage, tmp_path, sums):
    backup(storage.database, tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("copy")] == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sums(storage.database) == sums(tmp_path / "copy.db")


def test_a_backup_is_taken_while_the_storage_is_written_to(storage, tmp_path):
    ended = threading.Event()

    def keep_writing():
        seq = 3
        while not ended.is_set():
            seq = storage.commit([change(a_user(seq), a_node(seq))], seq)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for number in range(3):
            backup(storage.database, tmp_path / f"{number}.db")
    finally:
        ended.set()
        writer.join()
    for number in range(3):
        copy = database_of(f"sqlite:///{tmp_path}/{number}.db", tmp_path)
        copy.open()
        assert check(copy) == []
        copy.close()


def test_a_backup_tells_how_far_it_is(storage, tmp_path):
    told = []
    backup(storage.database, tmp_path / "copy.db", lambda *step: told.append(step))
    assert all(done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2]


def test_a_backup_nowhere_is_refused(storage, tmp_path):
    with pytest.raises(StorageError, match=r"nowhere/copy.db: cannot be written: No such file or directory"):
        backup(storage.database, tmp_path / "nowhere" / "copy.db")


def test_a_restored_database_is_as_it_was(tmp_path, sums):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    storage.commit([change(*one_of_each())], 0)
    backup(storage.database, tmp_path / "copy.db")
    was = sums(storage.database)
    storage.commit([change(a_user(2))], 1)
    storage.close()
    assert restore(storage.database, tmp_path / "copy.db") == tmp_path / "hatsize.db.before-restore"
    storage.open()
    assert sums(storage.database) == was
    storage.close()


def test_restoring_keeps_what_was_there(tmp_path):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    storage.commit([change(a_tailnet())], 0)
    storage.close()
    kept = restore(storage.database, tmp_path / "copy.db")
    before = SqlStorage(database_of(f"sqlite:///{kept}", tmp_path))
    before.open()
    assert before.load(1).seq == 1
    before.close()


def test_a_newer_backup_or_none_is_refused_before_anything_is_touched(tmp_path, execute):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    execute(storage, "UPDATE schema_core SET version_num = '9999'")
    backup(storage.database, tmp_path / "newer.db")
    storage.close()
    (tmp_path / "noise.db").write_bytes(b"not at all a database" * 100)
    for name, words in (
        ("newer.db", "newer Hatsize"),
        ("none.db", "no such file"),
        ("noise.db", "not an SQLite database"),
    ):
        with pytest.raises(StorageError, match=words):
            restore(storage.database, tmp_path / name)
    assert not (tmp_path / "hatsize.db.before-restore").exists()


def test_what_was_set_aside_before_stays_too(tmp_path):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    storage.close()
    kept = [restore(storage.database, tmp_path / "copy.db").name for _ in range(3)]
    assert kept == [f"hatsize.db.before-restore{ending}" for ending in ("", "-2", "-3")]


def test_a_database_that_is_open_elsewhere_is_not_replaced(tmp_path, sums):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    storage.commit([change(a_tailnet())], 0)
    was = sums(storage.database)
    with pytest.raises(StorageError, match="another process has it open; stop it first"):
        restore(storage.database, tmp_path / "copy.db")
    assert sums(storage.database) == was
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "copy.db", "hatsize.db", "hatsize.db-shm", "hatsize.db-wal",
    ]  # fmt: skip
    storage.close()


def test_a_damaged_database_is_replaced(tmp_path, sums):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    storage.commit([change(*one_of_each())], 0)
    backup(storage.database, tmp_path / "copy.db")
    was = sums(storage.database)
    storage.close()
    file = tmp_path / "hatsize.db"
    file.write_bytes(b"\xff" * len(file.read_bytes()))
    assert restore(storage.database, tmp_path / "copy.db").read_bytes()[:1] == b"\xff"
    assert sums(file) == was


def test_a_copy_that_cannot_be_finished_leaves_nothing_behind(tmp_path):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    storage.close()

    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(storage.database, tmp_path / "copy.db", interrupted)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "hatsize.db"]
