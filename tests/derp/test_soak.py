"""An hour of coming, going and talking, and a relay that is killed under traffic: nothing grows, traffic goes on."""

import gc
import itertools
import random
import tracemalloc

import anyio
import pytest

from hatsize.derp.mesh import Mesh, MeshPeer
from hatsize.wire.derp import frames
from hatsize.wire.keys import PrivateKey

pytestmark = pytest.mark.slow
MESH_KEY = "5a" * 32


def an_hour(stage, seed):
    """3600 seconds: each brings two clients who talk with whoever is there, and takes two away."""
    chance, here, number = random.Random(seed), [], itertools.count()
    watcher = stage.connect("watcher", mesh=True)
    watcher.sends(frames.WATCH_CONNS)
    for _ in range(3600):
        here += [stage.connect(f"node{next(number) % 500}", can_ack_pings=True) for _ in range(2)]
        for actor in chance.sample(here, min(len(here), 4)):
            if not actor.sink.closed:
                other = chance.choice(here)
                actor.packet(other.name, chance.choice([b"data", stage.disco]))
                actor.sends(frames.note_preferred(home=True))
        chance.shuffle(here)
        while len(here) > 40 or any(actor.sink.closed for actor in here[-1:]):
            here.pop().leaves()
        for actor in (*here, watcher):
            actor.sink.written.clear()
        stage.wait(1)
    for actor in (*here, watcher):
        actor.leaves()


@pytest.mark.timeout(120)
def test_an_hour_leaves_nothing_behind(stage):
    an_hour(stage, 1)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        an_hour(stage, 2)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 100_000
    counters = stage.counters
    assert (counters.clients, counters.homes, counters.duplicate_keys, counters.watchers) == (0, 0, 0, 0)
    assert counters.packets_sent + counters.packets_dropped.total() == counters.packets_received


class Pump:
    """Two clients of two relays who talk without end, and connect again whenever they are cut off."""

    def __init__(self):
        self.keys = PrivateKey.generate(), PrivateKey.generate()
        self.arrived = 0

    async def send(self, dial):
        await self._again_and_again(self._sending, dial, self.keys[0])

    async def receive(self, dial):
        await self._again_and_again(self._receiving, dial, self.keys[1])

    async def _sending(self, client):
        while True:
            await client.send(frames.send_packet(self.keys[1].public, b"x" * 1200))
            await anyio.sleep(0.002)

    async def _receiving(self, client):
        while True:
            await client.packet()
            self.arrived += 1

    @staticmethod
    async def _again_and_again(doing, dial, key):
        while True:
            try:
                client = await dial(key)
                await doing(client)
            except (OSError, EOFError, TimeoutError):
                await anyio.sleep(0.05)

    async def flows(self):
        """Wait until a hundred more packets have arrived."""
        wanted = self.arrived + 100
        for _ in range(1500):
            if self.arrived >= wanted:
                return
            await anyio.sleep(0.01)
        pytest.fail("traffic does not flow")


@pytest.mark.anyio
async def test_a_relay_killed_under_traffic_is_back_at_once(open_relay):
    here, there = await open_relay(mesh_key=MESH_KEY), await open_relay(mesh_key=MESH_KEY)
    private, port = there.server.private, there.port
    current, pump = there, Pump()

    async def dial_there(key):
        return await current.dial(key)

    async with anyio.create_task_group() as group:
        mesh = Mesh(here.server.relay, here.server.private, MESH_KEY, [MeshPeer("127.0.0.1", port)])
        for task in (mesh.run, lambda: pump.send(here.dial), lambda: pump.receive(dial_there)):
            group.start_soon(task)
        await pump.flows()
        for _ in range(3):
            await current.kill()
            current = await open_relay(private=private, port=port, mesh_key=MESH_KEY)
            await pump.flows()
        group.cancel_scope.cancel()
    assert here.server.counters.clients == 1
