"""What was set at run time is told where the settings file says something else."""

import logging
from dataclasses import replace

import pytest

from hatsize.live.terms import as_settings
from hatsize.server.run_time_settings import tell_changed
from hatsize.tailnet.commands.settings import change_settings
from hatsize.tailnet.settings import TailnetSettings

pytestmark = pytest.mark.anyio


async def test_it_is_told_by_its_name_as_long_as_it_differs(tailnet, caplog):
    caplog.set_level(logging.INFO)
    live = tailnet.live
    tell_changed(live)
    assert not caplog.messages
    update = TailnetSettings(approval=True, key_days=30, policy_link="https://git.example.com/policy")
    await live.run(lambda state: change_settings(state, update, as_settings(live.configured), tailnet.clock()))
    tell_changed(live)
    assert caplog.messages.pop().endswith("goes before the settings file: node.approval, node.expiry")
    live.go_by(replace(live.configured, approval=True))
    tell_changed(live)
    assert caplog.messages.pop().endswith("goes before the settings file: node.expiry")
