"""What a plugin keeps: there for every replica and after a restart, and nobody's to read in a log."""

import logging
from datetime import timedelta

import pytest

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.errors import InvalidError
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.testing.web import plugin_server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tailnet):
    return plugin_server(tailnet).store("door")


async def test_what_was_put_is_there_until_it_is_deleted(store):
    await store.put("visits/ann", b"3")
    await store.put("visits/bob", b"1")
    await store.put("mood", b"good")
    assert (store.get("visits/ann"), store.get("visits/eve")) == (b"3", None)
    assert store.items("visits/") == {"visits/ann": b"3", "visits/bob": b"1"}
    await store.delete("visits/ann")
    await store.delete("visits/ann")
    assert list(store.items()) == ["mood", "visits/bob"]


async def test_each_plugin_has_its_own(store, tailnet):
    await store.put("mood", b"good")
    assert dict(plugin_server(tailnet).store("lock").items()) == {}


async def test_a_value_is_swapped_for_another_unless_somebody_was_quicker(store):
    assert await store.swap("mood", None, b"good")
    assert not await store.swap("mood", None, b"bad")
    assert not await store.swap("mood", b"bad", None)
    assert store.get("mood") == b"good"
    assert await store.swap("mood", b"good", b"better")
    assert await store.swap("mood", b"better", None)
    assert store.items() == {}


async def test_what_is_over_is_swapped_as_if_it_were_not_there(store, tailnet):
    await store.put("mood", b"good", tailnet.clock() + timedelta(minutes=5))
    tailnet.clock.advance(minutes=5)
    assert not await store.swap("mood", b"good", b"bad")
    assert await store.swap("mood", None, b"better")
    assert store.get("mood") == b"better"


async def test_one_of_two_replicas_swaps(store, tailnet):
    there = plugin_server(ScratchTailnet(storage=tailnet.storage)).store("door")
    assert await store.swap("lamp", None, b"ours")
    assert not await there.swap("lamp", None, b"theirs")
    assert there.get("lamp") == b"ours"


async def test_it_is_over_at_its_time(store, tailnet):
    await store.put("mood", b"good", tailnet.clock() + timedelta(minutes=5))
    assert store.get("mood") == b"good"
    tailnet.clock.advance(minutes=5)
    assert (store.get("mood"), store.items()) == (None, {})


async def test_a_restart_forgets_nothing(store, tailnet):
    await store.put("mood", b"good")
    again = ScratchTailnet(storage=tailnet.storage)
    assert plugin_server(again).store("door").get("mood") == b"good"


async def test_a_replica_has_it_when_it_has_caught_up(store, tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    there = plugin_server(other).store("door")
    await store.put("mood", b"good")
    await there.put("visits", b"1")  # computed anew, after what came before
    assert there.items() == {"mood": b"good", "visits": b"1"}
    await tailnet.live.catch_up(other.state.seq)
    assert store.get("visits") == b"1"


async def test_one_that_reads_everything_anew_has_it_too(store, tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    there = plugin_server(other).store("door")
    await store.put("mood", b"good")
    await store.put("visits", b"1")
    await store.delete("mood")
    await other.live.load_anew()
    assert there.items() == {"visits": b"1"}


async def test_what_the_storage_refuses_is_not_kept(store, tailnet, monkeypatch):
    await store.put("mood", b"good")

    def full(changes, expect):
        raise StorageError("the disk is full")

    monkeypatch.setattr(tailnet.storage, "commit", full)
    for refused in (store.put("mood", b"bad"), store.delete("mood")):
        with pytest.raises(StorageError, match="the disk is full"):
            await refused
    assert store.get("mood") == b"good"


async def test_what_is_too_large_is_refused_in_words(store):
    with pytest.raises(InvalidError, match="at most 65536 are kept"):
        await store.put("mood", bytes(65537))


async def test_a_value_is_in_no_log(store, tailnet, caplog):
    caplog.set_level(logging.DEBUG)
    tailnet.live.listen(lambda change: logging.getLogger("test").info("%s", change))
    await store.put("mood", b"secret")
    assert "plugin.item_set" in caplog.text
    assert "secret" not in caplog.text
