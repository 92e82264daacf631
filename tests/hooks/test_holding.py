"""Plugins that hold up the event loop are noticed; what they await is as it would be alone."""

import time

import anyio
import anyio.lowlevel
import pytest

from hatsize.hooks import calls, hookimpl
from hatsize.hooks.calls import Calls
from hatsize.hooks.holding import Watched
from hatsize.hooks.ledger import Ledger
from hatsize.hooks.manager import Plugins
from hatsize.hooks.vigil import Vigil

pytestmark = pytest.mark.anyio


async def blocking():
    await anyio.lowlevel.checkpoint()
    time.sleep(0.05)  # noqa: ASYNC251 - what it must not do
    await anyio.lowlevel.checkpoint()
    return "done"


async def waiting():
    await anyio.sleep(0.05)
    return "done"


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(calls, "PATIENCE", 0.02)


async def test_a_stretch_without_an_await_is_timed():
    watched = Watched(blocking())
    assert await watched == "done"
    assert 0.04 < watched.longest < 5


async def test_waiting_is_no_holding_up():
    watched = Watched(waiting())
    assert await watched == "done"
    assert watched.longest < 0.04


async def test_an_error_comes_through():
    async def fails():
        await anyio.lowlevel.checkpoint()
        raise ValueError("hinges")

    with pytest.raises(ValueError, match="hinges"):
        await Watched(fails())


async def test_a_cancellation_comes_through_to_what_is_awaited():
    heard = []

    async def sleeps():
        try:
            await anyio.sleep_forever()
        finally:
            heard.append("cancelled")

    with anyio.move_on_after(0.01) as scope:
        await Watched(sleeps())
    assert scope.cancelled_caught
    assert heard == ["cancelled"]


async def test_a_timeout_inside_is_its_own():
    async def patient():
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.lowlevel.checkpoint)
        return "went on"

    assert await Watched(patient()) == "went on"


class Blocks:
    hatsize_api = "1.0"

    @hookimpl
    async def hatsize_dns_records(self):
        await blocking()


async def test_a_plugin_that_blocks_is_named_and_counted(impatient, caplog):
    plugins = Plugins()
    plugins.add(Blocks(), "slow")
    for _ in range(3):
        await plugins.dns_records(None)
    assert plugins.ledger.held == {("slow", "hatsize_dns_records"): 3}
    [line] = caplog.messages
    assert "plugin slow held up the whole server for 0." in line
    assert "in hatsize_dns_records" in line


async def test_one_that_waits_is_not(impatient):
    ledger = Ledger()
    assert await Calls(ledger, Vigil()).service("door", "CredentialChecker.check", waiting) == (True, "done")
    assert ledger.held == {}


# Methods that must not wait.


def test_an_answer_at_once_is_the_answer():
    assert Calls(Ledger(), Vigil()).at_once("door", "Door.open", lambda: 7, 0) == 7


def test_a_failure_is_what_it_counts_as_and_counted():
    ledger = Ledger()
    assert Calls(ledger, Vigil()).at_once("door", "Door.open", lambda: 1 // 0, -1) == -1
    assert ledger.errors == {("door", "Door.open"): 1}


def test_a_refusal_in_words_is_no_failure():
    ledger = Ledger()
    with pytest.raises(ZeroDivisionError):
        Calls(ledger, Vigil()).at_once("door", "Door.open", lambda: 1 // 0, -1, may_raise=(ZeroDivisionError,))
    assert ledger.errors == {}


def test_one_that_blocks_is_named(impatient):
    ledger = Ledger()
    Calls(ledger, Vigil()).at_once("door", "Door.open", lambda: time.sleep(0.05), None)
    assert ledger.held == {("door", "Door.open"): 1}
