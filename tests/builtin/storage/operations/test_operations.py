"""Looking at a database, checking it, copying it, moving it, on SQLite and, where there is one, on PostgreSQL."""

import stat
import threading
from datetime import timedelta

import msgspec
import pytest

from hatsize.builtin.storage.operations.backup import backup, restore
from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.operations.move import checksum, move
from hatsize.builtin.storage.operations.status import status
from hatsize.builtin.storage.operations.trim import trim
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import LogTrimmedError, StorageError
from hatsize.testing.contracts.storage_samples import NOON, a_node, a_tailnet, a_user, change, one_of_each


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_storage(request, tmp_path):
    """Opens storages over databases of their own, of one engine."""
    opened = []

    def new(engine=request.param):
        made = tmp_path / f"{len(opened)}"
        url = "" if engine == "sqlite" else request.getfixturevalue("postgres_server").new_database()
        opened.append(SqlStorage(database_of(url, made)))
        opened[-1].open()
        return opened[-1]

    yield new
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(new_storage):
    storage = new_storage()
    storage.commit([change(*one_of_each())], 0)
    storage.commit([change(a_user(2), a_node(2)), change(deletes=[("user", 2)])], 1)
    storage.commit([change(a_tailnet(2), tailnet=2)], 0)
    storage.write_secret("noise", b"\x00\x01")
    return storage


def executed(storage, statement):
    with storage.database.writing() as connection:
        connection.exec_driver_sql(statement)


# Status.


def test_status_tells_what_there_is(storage):
    now = status(storage.database)
    assert (now.engine, now.current, now.schema, now.program) == (storage.name, True, "0001", "0001")
    assert now.size > 10_000
    assert [(t.id, t.name, t.seq, t.log_from, t.rows["node"]) for t in now.tailnets] == [
        (1, "tailnet1.example", 3, 1, 2),
        (2, "tailnet2.example", 1, 1, 0),
    ]


def test_status_of_an_empty_database_makes_nothing(tmp_path):
    database = database_of("", tmp_path)
    database.open()
    assert (status(database).schema, status(database).tailnets) == (None, ())
    database.close()


# Check.


def test_a_sound_database_has_no_findings(storage):
    assert check(storage.database) == []


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            "UPDATE node SET tags = '[]', user_id = 9 WHERE id = 2",
            "node 2 (node-2) is owned by user 9, who is not there",
        ),
        ("UPDATE node SET ipv4 = 'fd7a:115c:a1e0::1' WHERE id = 2", "address fd7a:115c:a1e0::1 is held by 2 nodes"),
        ("DELETE FROM change WHERE tailnet = 1 AND seq = 2", "the log has 2 changes between 1 and 3"),
        (
            "UPDATE counter SET last = 7 WHERE tailnet = 1 AND name = 'change'",
            "the log ends at 3, but the last number given",
        ),
        (
            "UPDATE counter SET last = 1 WHERE tailnet = 1 AND name = 'node'",
            "node 2 is there, but the last id given out is 1",
        ),
        ("UPDATE credential SET user_id = 9, revoked = NULL", "credential 1 belongs to user 9, who is not there"),
        ("DELETE FROM tailnet WHERE id = 1", "tailnet 1: is not there, but has rows in node"),
    ],
)
def test_finds_what_does_not_hold_together(storage, damage, finding):
    executed(storage, damage)
    assert [found for found in check(storage.database) if finding in found]


# Backup and restore.


def test_a_backup_is_one_private_file_with_everything(storage, tmp_path):
    backup(storage.database, tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("copy")] == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sums(storage.database) == sums_of_file(tmp_path / "copy.db")


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


def test_a_restored_database_is_as_it_was(tmp_path):
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


def test_a_newer_backup_or_none_is_refused_before_anything_is_touched(tmp_path):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    backup(storage.database, tmp_path / "copy.db")
    executed(storage, "UPDATE schema_core SET version_num = '9999'")
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


# Move.


def sums(database):
    with database.reading() as connection:
        return checksum(connection)


def sums_of_file(path):
    database = database_of(f"sqlite:///{path}", path.parent)
    database.open()
    found = sums(database)
    database.close()
    return found


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_everything_moves_to_either_engine_and_back(storage, new_storage, engine):
    target, back = new_storage(engine), new_storage()
    moved = move(storage.database, target.database)
    assert (moved.rows["node"], moved.rows["change"], moved.rows["secret"]) == (2, 4, 1)
    assert move(target.database, back.database).checksum == moved.checksum == sums(storage.database)
    for tailnet in (1, 2):
        assert target.load(tailnet) == storage.load(tailnet) == back.load(tailnet)
    assert target.commit([change(a_user(3))], 3) == 4


def test_a_move_tells_how_far_it_is(storage, new_storage):
    told = []
    move(storage.database, new_storage().database, lambda *step: told.append(step))
    assert ("copy node", 2, 2) in told
    assert ("verify node", 2, 2) in told


def test_a_move_never_mixes_two_databases(storage, new_storage):
    target = new_storage()
    target.write_secret("noise", b"other")
    with pytest.raises(StorageError, match=r"is not empty .there are rows in secret.; name an empty database"):
        move(storage.database, target.database)
    assert target.load(1).seq == 0


def test_a_checksum_sees_a_single_field(storage):
    before = sums(storage.database)
    storage.commit([change(msgspec.structs.replace(a_node(2), nl_key="x"))], 3)
    assert sums(storage.database) != before


# Trim.


def test_a_trimmed_log_goes_on_and_says_where_it_begins(storage):
    later = msgspec.structs.replace(change(a_user(3)), at=NOON + timedelta(days=2))
    storage.commit([later], 3)
    assert trim(storage.database, NOON + timedelta(days=1)) == 3
    assert [c.seq for c in storage.changes(1, 3)] == [4]
    with pytest.raises(LogTrimmedError, match="tailnet 1 no longer reaches back to 2: load it anew"):
        storage.changes(1, 2)
    assert check(storage.database) == []


def test_the_last_change_of_a_tailnet_is_never_trimmed(storage):
    trim(storage.database, NOON + timedelta(days=365))
    assert [[c.seq for c in storage.changes(tailnet, after)] for tailnet, after in ((1, 2), (2, 0))] == [[3], [1]]
    assert storage.commit([change(a_user(3))], 3) == 4


def test_an_interrupted_move_leaves_the_target_empty(storage, new_storage):
    def interrupted(what, _done, _total):
        if what == "verify node":
            raise KeyboardInterrupt

    target = new_storage()
    with pytest.raises(KeyboardInterrupt):
        move(storage.database, target.database, interrupted)
    assert [tailnet.seq for tailnet in status(target.database).tailnets] == []
    assert move(storage.database, target.database).rows["node"] == 2
