"""The contexts that plugins run in: entered in order, left in the opposite one, and no trouble to the server."""

from contextlib import asynccontextmanager

import anyio
import pytest

from hatsize.hooks import hookimpl, running
from hatsize.hooks.errors import PluginError
from hatsize.hooks.manager import Plugins

pytestmark = pytest.mark.anyio


def with_contexts(*contexts):
    plugins = Plugins()
    for number, context in enumerate(contexts):

        def implementation(self, _context=context):
            return _context()

        plugins.add(type("Plugin", (), {"hatsize_running": hookimpl(implementation)})(), f"p{number}")
    return plugins


def noting(notes, name):
    @asynccontextmanager
    async def context():
        notes.append(f"{name} enters")
        yield
        notes.append(f"{name} leaves")

    return context


async def test_entered_in_order_and_left_in_the_opposite_one(quiet_server):
    notes = []
    async with with_contexts(noting(notes, "a"), noting(notes, "b")).running(quiet_server):
        notes.append("serving")
    assert notes == ["a enters", "b enters", "serving", "b leaves", "a leaves"]


async def test_a_context_may_hold_tasks(quiet_server):
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await anyio.sleep(0.001)

    @asynccontextmanager
    async def context():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            yield
            tasks.cancel_scope.cancel()

    async with with_contexts(context).running(quiet_server):
        await anyio.sleep(0.01)
    assert ticks


async def test_one_that_cannot_start_stops_the_start_and_those_before_it_are_left(quiet_server):
    notes = []

    @asynccontextmanager
    async def broken():
        raise OSError("port 9090 is in use")
        yield

    plugins = with_contexts(noting(notes, "a"), broken, noting(notes, "c"))
    with pytest.raises(PluginError, match="plugin 'p1' cannot start: OSError: port 9090 is in use"):
        async with plugins.running(quiet_server):
            pytest.fail("not reached")
    assert notes == ["a enters", "a leaves"]


async def test_one_that_takes_too_long_to_start_stops_the_start(quiet_server, monkeypatch):
    monkeypatch.setattr(running, "ENTER_SECONDS", 0.01)

    @asynccontextmanager
    async def slow():
        await anyio.sleep(60)
        yield

    with pytest.raises(PluginError, match=r"'p0' did not start within 0.01 seconds"):
        async with with_contexts(slow).running(quiet_server):
            pytest.fail("not reached")


async def test_one_that_fails_later_is_counted_and_the_server_goes_on(quiet_server):
    async def crash():
        raise RuntimeError("hinges")

    @asynccontextmanager
    async def context():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(crash)
            yield

    plugins = with_contexts(context)
    async with plugins.running(quiet_server):
        await anyio.wait_all_tasks_blocked()
        served = True
    assert served
    assert plugins.ledger.errors == {("p0", "hatsize_running"): 1}


async def test_one_that_does_not_leave_is_cut_off(quiet_server, monkeypatch):
    monkeypatch.setattr(running, "LEAVE_SECONDS", 0.01)

    @asynccontextmanager
    async def clinging():
        yield
        await anyio.sleep(60)

    plugins = with_contexts(clinging)
    async with plugins.running(quiet_server):
        pass
    assert plugins.ledger.deadlines == {("p0", "hatsize_running"): 1}


async def test_an_error_of_the_server_comes_out_as_it_is(quiet_server):
    with pytest.raises(ValueError, match="ours"):
        async with with_contexts(noting([], "a")).running(quiet_server):
            raise ValueError("ours")


async def test_contexts_are_left_when_the_server_is_cancelled(quiet_server):
    notes = []
    with anyio.move_on_after(0.01):
        async with with_contexts(noting(notes, "a")).running(quiet_server):
            await anyio.sleep(60)
    assert notes == ["a enters", "a leaves"]
