"""Rows moved from one database to another, whatever their engines."""

import msgspec
import pytest

from hatsize.builtin.storage.operations.move import move
from hatsize.builtin.storage.operations.status import status
from hatsize.hooks.storage import StorageError
from hatsize.testing.contracts.storage_samples import a_node, a_user, change


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_everything_moves_to_either_engine_and_back(storage, new_storage, engine, sums):
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


def test_a_checksum_sees_a_single_field(storage, sums):
    before = sums(storage.database)
    storage.commit([change(msgspec.structs.replace(a_node(2), nl_key="x"))], 3)
    assert sums(storage.database) != before


def test_an_interrupted_move_leaves_the_target_empty(storage, new_storage):
    def interrupted(what, _done, _total):
        if what == "verify node":
            raise KeyboardInterrupt

    target = new_storage()
    with pytest.raises(KeyboardInterrupt):
        move(storage.database, target.database, interrupted)
    assert [tailnet.seq for tailnet in status(target.database).tailnets] == []
    assert move(storage.database, target.database).rows["node"] == 2


def test_tables_of_plugins_stay_and_are_named(storage, new_storage, execute):
    execute(storage, "CREATE TABLE pets (name text)")
    target = new_storage()
    assert move(storage.database, target.database).left_out == ("pets",)
    assert status(storage.database).other_tables == ("pets",)
    assert status(target.database).other_tables == ()


def test_who_is_not_alone_is_told(storage):
    with pytest.raises(StorageError, match=r"another process has it open|other processes are connected to it"):
        storage.database.__class__(getattr(storage.database, "path", None) or storage.database.url).refuse_company()
    storage.close()
    storage.database.refuse_company()
    storage.open()
    assert storage.load(1).seq == 3
