"""Clients that are connected are asked about again."""

import anyio
import anyio.lowlevel
import pytest

from hatsize.derp.readmission import AT_ONCE, Readmission
from hatsize.wire.keys import NodeKey

pytestmark = pytest.mark.anyio


class Region:
    """Clients, and what somebody says of them."""

    def __init__(self, count):
        self.clients = {NodeKey(f"nodekey:{place:064x}"): "192.0.2.1" for place in range(count)}
        self.says = dict.fromkeys(self.clients, True)
        self.asked, self.evicted = [], []
        self.under_way = self.most = 0

    async def ask(self, key, address):
        self.asked.append((key, address))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        return self.says[key]

    def evict(self, key):
        self.evicted.append(key)
        return 1

    def readmission(self, every=0.01):
        return Readmission(self.clients.items, self.ask, self.evict, every=every)


async def test_a_round_asks_about_everybody_once():
    region = Region(20)
    await region.readmission().round()
    assert sorted(region.asked) == sorted(region.clients.items())
    assert not region.evicted


async def test_a_no_cuts_off_and_silence_does_not():
    region = Region(3)
    gone, unknown, _ = region.clients
    region.says |= {gone: False, unknown: None}
    await region.readmission().round()
    assert region.evicted == [gone]


async def test_questions_are_few_at_a_time():
    region = Region(100)
    await region.readmission().round()
    assert region.most == AT_ONCE


async def test_questions_are_spread_over_the_round():
    region = Region(10)
    async with anyio.create_task_group() as group:
        group.start_soon(region.readmission(every=2).round)
        await anyio.sleep(1.5)
        assert len(region.asked) == 5
        group.cancel_scope.cancel()


async def test_nobody_there_is_no_hurry():
    region = Region(0)
    with anyio.move_on_after(0.1) as scope:
        await region.readmission(every=30).round()
    assert scope.cancelled_caught
