"""What makes a process one of several: the only service of its kind."""

import pytest

from hatsize.hooks import hookimpl
from hatsize.hooks.manager import PluginError, Plugins
from hatsize.live.alone import Alone
from hatsize.server.plugins import _replication
from hatsize.testing.memory import MemoryStorage

pytestmark = pytest.mark.anyio


def named(name):
    service = Alone()
    service.name = name

    class Supplier:
        @hookimpl
        def hatsize_register_replication(self):
            return service

    return Supplier()


async def test_hatsize_register_replication(example):
    plugins = Plugins()
    plugins.add(example("hatsize_register_replication"), "twin")
    [twin] = plugins.services("replication")
    storage = MemoryStorage()
    assert [twin.shared_secret(storage, "noise", ours) for ours in (b"first", b"second")] == [b"first", b"first"]
    assert (twin.is_ours("probing"), twin.is_ours("trimming"), twin.is_followed()) == (False, True, True)
    assert await twin.ask(1, "", b"", 1.0) is None


async def test_a_process_without_such_a_plugin_is_alone():
    alone = _replication(Plugins())
    assert alone.shared_secret(MemoryStorage(), "noise", b"ours") == b"ours"
    assert alone.is_ours("anything")
    assert not alone.is_followed()
    assert await alone.ask(1, "", b"", 1.0) is None


def test_two_such_plugins_are_one_too_many():
    plugins = Plugins()
    for name in ("twin", "triplet"):
        plugins.add(named(name), name)
    with pytest.raises(PluginError, match="both 'twin' and 'triplet'"):
        _replication(plugins)
