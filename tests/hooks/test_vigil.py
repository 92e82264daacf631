"""A plugin that holds up the server is named while it does, at the start as well as later."""

import time
from contextlib import asynccontextmanager

import pytest

from hatsize.hooks import hookimpl, vigil
from hatsize.hooks.manager import Plugins
from hatsize.hooks.vigil import Vigil

NAMED = "the whole server waits for plugin door, which has been in {} for"


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(vigil, "PATIENCE", 0.02)
    monkeypatch.setattr(vigil, "LOOK_EVERY", 0.01)


@pytest.fixture
def blocks(caplog):
    """Blocks, for as long as nobody is named."""

    def block():
        until = time.monotonic() + 5
        while "the whole server waits" not in caplog.text and time.monotonic() < until:
            time.sleep(0.005)

    return block


def test_it_is_named_once_before_it_is_done(blocks, caplog):
    with Vigil().within("door", "its import"):
        blocks()
        time.sleep(0.05)
    assert caplog.text.count(NAMED.format("its import")) == 1


def test_one_that_is_quick_is_not(caplog):
    watching = Vigil()
    with watching.within("door", "hatsize_settings"):
        pass
    time.sleep(0.05)
    assert caplog.text == ""


def test_what_goes_on_around_it_is_named_when_it_is_done(blocks, caplog):
    watching = Vigil()
    with watching.within("door", "hatsize_running"):
        with watching.within("fence", "hatsize_running"):
            pass
        blocks()
    assert NAMED.format("hatsize_running") in caplog.text
    assert "fence" not in caplog.text


def test_at_the_start(blocks, caplog):
    class Door:
        @hookimpl
        def hatsize_configured(self, setup):
            blocks()

    Plugins().add(Door(), "door")
    assert NAMED.format("hatsize_configured") in caplog.text


@pytest.mark.anyio
async def test_on_entering_what_the_server_runs_in(blocks, caplog, quiet_server):
    class Door:
        @hookimpl
        def hatsize_running(self):
            return self._open()

        @asynccontextmanager
        async def _open(self):
            blocks()
            yield

    plugins = Plugins()
    plugins.add(Door(), "door")
    async with plugins.running(quiet_server):
        assert NAMED.format("hatsize_running") in caplog.text


@pytest.mark.anyio
async def test_in_a_hook_that_should_have_awaited(blocks, caplog):
    class Door:
        @hookimpl
        async def hatsize_dns_records(self):
            blocks()
            return []

    plugins = Plugins()
    plugins.add(Door(), "door")
    await plugins.dns_records(None)
    assert NAMED.format("hatsize_dns_records") in caplog.text


def test_the_thread_ends_when_there_is_nothing_to_watch():
    import threading

    watching = Vigil()
    with watching.within("door", "its import"):
        assert any(thread.name == "hatsize-vigil" for thread in threading.enumerate())
    until = time.monotonic() + 5
    while watching._watching and time.monotonic() < until:
        time.sleep(0.01)
    assert not watching._watching
