"""What a tailnet goes by: its settings file, and over it what was set at run time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hatsize.live.tailnet import LiveTailnet
from hatsize.live.terms import as_settings
from hatsize.tailnet.commands.settings import change_settings
from hatsize.tailnet.settings import TailnetSettings
from hatsize.tailnet.state import State
from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio


async def choose(tailnet, **update):
    live = tailnet.live
    configured = as_settings(live.configured)
    chosen = TailnetSettings(**update)
    await live.run(lambda state: change_settings(state, chosen, configured, tailnet.clock()))


async def test_what_was_set_at_run_time_is_in_force_at_once_and_goes_before_the_file(tailnet):
    live = tailnet.live
    await choose(tailnet, approval=True, key_days=30, auto_update=True)
    assert (live.terms.approval, live.terms.key_expiry, live.terms.auto_update) == (True, timedelta(days=30), True)
    live.go_by(replace(live.configured, key_expiry=timedelta(days=7), taildrop=False))
    assert (live.terms.key_expiry, live.terms.taildrop) == (timedelta(days=30), False)


async def test_it_is_in_force_after_a_restart(tailnet):
    await choose(tailnet, approval=True, auto_update=True)
    stored = tailnet.storage.load(1)
    state = State.load(1, stored.seq, stored.records, stored.last_ids)
    again = LiveTailnet(state, tailnet.services, tailnet.terms, tailnet.live.netmap.scene.derp_map, tailnet.clock)
    assert again.terms.approval
    assert again.netmap.scene.auto_update


async def test_set_as_it_is_configured_it_follows_the_file_again(tailnet):
    live = tailnet.live
    await choose(tailnet, approval=True)
    await choose(tailnet, approval=False)
    live.go_by(replace(live.configured, approval=True))
    assert live.terms.approval


async def test_clients_are_told_and_machines_that_join_wait_and_expire_by_it(tailnet):
    desk = FakeClient.direct(tailnet.app, hostname="desk")
    await desk.register(await tailnet.auth_key())
    stream = await desk.poll()
    await stream.until(lambda netmap: netmap.own)
    await choose(tailnet, auto_update=True, key_days=1)
    await stream.until(lambda netmap: netmap.own["CapMap"]["default-auto-update"] == [True])
    late = FakeClient.direct(tailnet.app, hostname="late")
    await late.register(await tailnet.auth_key())
    assert tailnet.node("late").key_expiry == tailnet.clock() + timedelta(days=1)
    assert tailnet.node("desk").key_expiry is None


def test_an_expiry_that_is_no_number_of_days_is_told_as_none(tailnet):
    assert as_settings(replace(tailnet.terms, key_expiry=timedelta(hours=36))).key_days is None
    assert as_settings(replace(tailnet.terms, key_expiry=None)).key_days is None
