"""Asynchronous hooks: how answers combine, and what becomes of plugins that fail or are slow."""

import logging

import anyio
import anyio.lowlevel
import pytest

from hatsize.hooks import areas, calls, hookimpl
from hatsize.hooks.auth import AskUser, Deny, LoginIdentity
from hatsize.hooks.manager import Plugins
from hatsize.tailnet.model import Identity

pytestmark = pytest.mark.anyio


def asked(hook, *answers):
    """Plugins that answer a hook with these, each a value or an async function."""
    plugins = Plugins()
    for number, answer in enumerate(answers):

        async def implementation(self, _answer=answer):
            return await _answer() if callable(_answer) else _answer

        plugins.add(type("Plugin", (), {hook: hookimpl(implementation)})(), f"p{number}")
    return plugins


async def fails():
    raise ValueError("hinges")


async def sleeps():
    await anyio.sleep(60)


@pytest.fixture
def hurry(monkeypatch):
    for hook in calls.DEADLINES:
        monkeypatch.setitem(calls.DEADLINES, hook, 0.01)


def test_every_asynchronous_hook_has_a_deadline():
    import inspect

    asynchronous = {
        name
        for area in areas.AREAS
        for name, function in areas.hooks_of(area).items()
        if inspect.iscoroutinefunction(function)
    }
    assert asynchronous == set(calls.DEADLINES)


async def test_first_takes_the_first_answer_and_asks_nobody_after_it():
    plugins = asked("hatsize_registration", None, Deny("no"), AskUser(), fails)
    assert await plugins.registration(None, None, None) == Deny("no")
    assert plugins.ledger.errors == {}


async def test_first_without_an_answer_is_none():
    assert await asked("hatsize_registration", None, None).registration(None, None, None) is None


async def test_a_veto_that_cannot_be_asked_counts_as_a_no():
    plugins = asked("hatsize_registration", fails, None)
    assert isinstance(await plugins.registration(None, None, None), Deny)
    assert plugins.ledger.errors == {("p0", "hatsize_registration"): 1}


async def test_a_veto_that_is_slow_is_cut_off_and_counts_as_a_no(hurry, caplog):
    plugins = asked("hatsize_registration", sleeps)
    assert isinstance(await plugins.registration(None, None, None), Deny)
    assert plugins.ledger.deadlines == {("p0", "hatsize_registration"): 1}
    assert "plugin p0 was cut off in hatsize_registration after 0.01 s" in caplog.text


async def test_all_asks_everybody_and_keeps_who_said_what_in_order():
    async def later():
        await anyio.lowlevel.checkpoint()
        return ["late"]

    plugins = asked("hatsize_dns_records", later, None, ["b"], fails)
    assert list((await plugins.dns_records(None)).items()) == [("p0", ["late"]), ("p2", ["b"])]
    assert plugins.ledger.errors == {("p3", "hatsize_dns_records"): 1}


async def test_all_does_not_wait_for_the_slow(hurry):
    plugins = asked("hatsize_node_attributes", sleeps, {"p1:x": 1})
    assert await plugins.node_attributes(None, None) == {"p1": {"p1:x": 1}}


class Groups:
    def __init__(self, group):
        self.group = group

    @hookimpl
    async def hatsize_login(self, identity):
        from dataclasses import replace

        return replace(identity, groups=(*identity.groups, self.group))


async def test_chain_gives_each_what_the_one_before_made():
    plugins = Plugins()
    plugins.add(Groups("a"), "a")
    plugins.add(Groups("b"), "b")
    amended = await plugins.login(None, LoginIdentity(Identity("door", "1"), "ann"))
    assert amended.groups == ("a", "b")


async def test_a_refusal_ends_the_chain():
    plugins = asked("hatsize_login", None, Deny("not you"), fails)
    assert await plugins.login(None, LoginIdentity(Identity("door", "1"), "ann")) == Deny("not you")


async def test_a_login_is_refused_when_a_plugin_fails_to_look_at_it():
    plugins = asked("hatsize_login", fails)
    assert isinstance(await plugins.login(None, LoginIdentity(Identity("door", "1"), "ann")), Deny)


async def test_the_first_failure_is_logged_with_its_traceback_and_later_ones_with_their_number(caplog):
    plugins = asked("hatsize_dns_records", fails)
    with caplog.at_level(logging.ERROR):
        await plugins.dns_records(None)
        await plugins.dns_records(None)
    first, second = caplog.records
    assert first.exc_info
    assert not second.exc_info
    assert second.getMessage() == "plugin p0 failed in hatsize_dns_records again (2 times so far): ValueError: hinges"


async def test_calls_and_their_seconds_are_counted():
    plugins = asked("hatsize_dns_records", None)
    await plugins.dns_records(None)
    assert plugins.ledger.calls == {("p0", "hatsize_dns_records"): 1}
    assert plugins.ledger.seconds["p0", "hatsize_dns_records"] > 0


async def test_being_cancelled_from_outside_is_no_failure_of_a_plugin():
    plugins = asked("hatsize_dns_records", sleeps)
    with anyio.move_on_after(0.01):
        await plugins.dns_records(None)
    assert plugins.ledger.errors == plugins.ledger.deadlines == {}
