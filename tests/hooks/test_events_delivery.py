"""Events reach every plugin in order and at its own pace, and never hold the server up."""

import anyio
import pytest

from hatsize.hooks import calls, hookimpl
from hatsize.hooks.delivery import Delivery
from hatsize.hooks.manager import Plugins

pytestmark = pytest.mark.anyio


class Listener:
    def __init__(self):
        self.heard = []
        self.gate = anyio.Event()
        self.gate.set()

    @hookimpl
    async def hatsize_changed(self, change):
        await self.gate.wait()
        self.heard.append(change.seq)

    @hookimpl
    async def hatsize_node_online(self, state, node_id, online):
        self.heard.append((state.tailnet_id, node_id, online))


class Failing:
    @hookimpl
    async def hatsize_changed(self, change):
        raise RuntimeError(f"no {change.seq}")


@pytest.fixture
def delivered(quiet_server):
    """A delivery to these listeners, that runs while it is entered."""

    class Delivered:
        def __init__(self, *listeners, limit=100):
            self.plugins = Plugins()
            for number, listener in enumerate(listeners):
                self.plugins.add(listener, f"p{number}")
            whole = self.plugins.delivery(quiet_server.state)
            self.delivery = Delivery(
                quiet_server.state, whole._listeners, self.plugins.calls, self.plugins.ledger, limit=limit
            )
            whole.close()

        async def __aenter__(self):
            self.tasks = await anyio.create_task_group().__aenter__()
            self.tasks.start_soon(self.delivery.run)
            return self.delivery

        async def __aexit__(self, *error):
            self.tasks.cancel_scope.cancel()
            await self.tasks.__aexit__(*error)

    return Delivered


async def test_every_listener_hears_everything_in_order(delivered, a_change):
    one, two = Listener(), Listener()
    async with delivered(one, two) as delivery:
        delivery.changed(a_change(seq=1))
        delivery.presence(7, online=True)
        delivery.changed(a_change(seq=2))
        await anyio.wait_all_tasks_blocked()
    assert one.heard == two.heard == [1, (1, 7, True), 2]


async def test_a_delivery_that_never_ran_is_closed_and_loses_events_in_silence(delivered, a_change):
    listener = Listener()
    delivery = delivered(listener).delivery
    delivery.close()
    delivery.changed(a_change(seq=1))
    assert listener.heard == []


async def test_one_that_fails_keeps_hearing_and_hurts_nobody(delivered, a_change):
    failing, other = Failing(), Listener()
    whole = delivered(failing, other)
    async with whole as delivery:
        for seq in (1, 2, 3):
            delivery.changed(a_change(seq=seq))
        await anyio.wait_all_tasks_blocked()
    assert other.heard == [1, 2, 3]
    assert whole.plugins.ledger.errors == {("p0", "hatsize_changed"): 3}


async def test_a_slow_one_holds_up_neither_the_server_nor_the_others(delivered, a_change):
    slow, quick = Listener(), Listener()
    slow.gate = anyio.Event()
    whole = delivered(slow, quick, limit=2)
    async with whole as delivery:
        delivery.changed(a_change(seq=1))
        await anyio.wait_all_tasks_blocked()
        for seq in (2, 3, 4, 5):
            delivery.changed(a_change(seq=seq))
            await anyio.wait_all_tasks_blocked()
        assert quick.heard == [1, 2, 3, 4, 5]
        assert delivery.waiting == {"p0": 2, "p1": 0}
        slow.gate.set()
        await anyio.wait_all_tasks_blocked()
    assert slow.heard == [1, 2, 3]
    assert whole.plugins.ledger.lost == {"p0": 2}


async def test_losses_are_logged_when_they_grow_tenfold(delivered, a_change, caplog):
    whole = delivered(Listener(), limit=1)
    for _ in range(12):
        whole.delivery.changed(a_change())
    async with whole:
        pass
    assert [record.getMessage() for record in caplog.records] == [
        "plugin p0 is too slow: 1 event(s) are lost to it",
        "plugin p0 is too slow: 10 event(s) are lost to it",
    ]


async def test_one_that_hangs_is_cut_off_and_hears_the_next(delivered, a_change, monkeypatch):
    monkeypatch.setitem(calls.DEADLINES, "hatsize_changed", 0.01)
    hanging = Listener()
    hanging.gate = anyio.Event()
    whole = delivered(hanging)
    async with whole as delivery:
        delivery.changed(a_change(seq=1))
        await anyio.sleep(0.05)
        hanging.gate.set()
        delivery.changed(a_change(seq=2))
        await anyio.wait_all_tasks_blocked()
    assert hanging.heard == [2]
    assert whole.plugins.ledger.deadlines == {("p0", "hatsize_changed"): 1}


async def test_what_waits_when_the_server_stops_is_still_delivered(delivered, a_change):
    listener = Listener()
    async with delivered(listener) as delivery:
        await anyio.wait_all_tasks_blocked()
        delivery.changed(a_change(seq=1))
        delivery.changed(a_change(seq=2))
    assert listener.heard == [1, 2]


async def test_an_event_after_the_end_is_no_error(delivered, a_change):
    whole = delivered(Listener())
    async with whole:
        pass
    whole.delivery.changed(a_change())


async def test_without_listeners_nothing_is_kept(delivered, a_change):
    async with delivered() as delivery:
        delivery.changed(a_change())
        assert delivery.waiting == {}
