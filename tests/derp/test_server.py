"""The relay over real sockets, on both event loops."""

import asyncio
import statistics

import anyio
import pytest

from hatsize.derp.admission import known_nodes
from hatsize.derp.limits import Limits
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.handshake import ClientInfo
from hatsize.wire.keys import PrivateKey, node_key

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


async def test_two_clients_talk(open_relay):
    relay = await open_relay()
    alice, bob = await relay.dial(), await relay.dial()
    await alice.send(frames.send_packet(bob.key, b"hello"))
    assert await bob.packet() == (alice.key, b"hello")
    await bob.send(frames.send_packet(alice.key, b"x" * 65536))
    assert await alice.packet() == (bob.key, b"x" * 65536)


async def test_the_answer_names_the_relay(open_relay):
    relay = await open_relay()
    alice = await relay.dial()
    assert alice.head.startswith("HTTP/1.1 101")
    assert f"Derp-Public-Key: {relay.server.private.public.hex()}" in alice.head
    assert "Derp-Version: 2" in alice.head


async def test_fast_start_begins_without_an_http_answer(open_relay):
    relay = await open_relay()
    alice = await relay.dial(fast_start=True)
    await alice.send(frames.ping(b"12345678"))
    assert await alice.read() == (FrameType.PONG, b"12345678")


async def test_over_tls(open_relay, certificate):
    relay = await open_relay(certificate=certificate)
    alice, bob = await relay.dial(), await relay.dial(fast_start=True)
    for size in (1, 1200, 65536):
        await alice.send(frames.send_packet(bob.key, b"y" * size))
        assert await bob.packet() == (alice.key, b"y" * size)


async def test_a_handshake_has_a_deadline(open_relay):
    relay = await open_relay(Limits(handshake_timeout=0.1))
    alice = await relay.dial(login=False)
    assert await alice.ended()
    assert relay.server.counters.refused == 1


async def test_a_forged_handshake_is_turned_away(open_relay):
    relay = await open_relay()
    alice = await relay.dial(login=False)
    await alice.send(frames.frame(FrameType.CLIENT_INFO, bytes(100)))
    assert await alice.ended()


async def test_a_packet_instead_of_a_handshake_ends_the_connection(open_relay):
    relay = await open_relay()
    alice = await relay.dial(login=False)
    await alice.send(frames.send_packet(bytes(32), b"x"))
    assert await alice.ended()
    assert relay.server.counters.frame_errors == 1


async def test_control_frames_behind_the_handshake_are_not_lost(open_relay):
    relay = await open_relay()
    alice = await relay.dial(login=False)
    await alice.send(alice.introduction(ClientInfo(version=2)) + frames.ping(b"12345678"))
    assert (await alice.read())[0] == FrameType.SERVER_INFO
    assert await alice.read() == (FrameType.PONG, b"12345678")


async def test_a_client_is_judged_once_however_often_it_introduces_itself(open_relay):
    asked, answer = [], anyio.Event()

    async def admit(key, _address):
        asked.append(key)
        await answer.wait()
        return True

    relay = await open_relay(admit=admit)
    alice = await relay.dial(login=False)
    for _ in range(3):
        await alice.send(alice.introduction(ClientInfo(version=2)))
        await anyio.sleep(0.02)
    answer.set()
    assert (await alice.read())[0] == FrameType.SERVER_INFO
    await alice.send(frames.ping(b"12345678"))
    assert await alice.read() == (FrameType.PONG, b"12345678")
    assert len(asked) == relay.server.counters.clients == 1


async def test_a_wrong_frame_behind_the_handshake_ends_the_connection(open_relay):
    relay = await open_relay()
    alice = await relay.dial(login=False)
    await alice.send(alice.introduction(ClientInfo(version=2)) + frames.WATCH_CONNS)
    assert await alice.ended()
    assert relay.server.counters.clients == 0


async def test_only_admitted_nodes_get_in_and_a_deleted_one_is_cut_off(open_relay):
    known, alice_key = set(), PrivateKey.generate()
    relay = await open_relay(admit=known_nodes(lambda key, _: key in known))
    stranger = await relay.dial(login=False)
    await stranger.send(stranger.introduction(ClientInfo(version=2)))
    assert await stranger.ended()
    key = node_key(alice_key.public)
    known.add(key)
    alice = await relay.dial(alice_key)
    assert relay.server.is_connected(key)
    assert relay.server.evict(key) == 1
    assert await alice.ended()
    assert not relay.server.is_connected(key)


async def test_a_mesh_peer_needs_no_admission_but_the_key(open_relay):
    relay = await open_relay(admit=known_nodes(lambda *_: False), mesh_key="ab" * 32)
    mesh = await relay.dial(info=ClientInfo(version=2, mesh_key="ab" * 32))
    await mesh.send(frames.WATCH_CONNS)
    assert (await mesh.read())[0] == FrameType.PEER_PRESENT
    other = await relay.dial(login=False)
    await other.send(other.introduction(ClientInfo(version=2, mesh_key="ac" * 32)))
    assert await other.ended()


async def test_a_lost_client_is_gone_for_those_who_heard_it(open_relay):
    relay = await open_relay()
    alice, bob = await relay.dial(), await relay.dial()
    await alice.send(frames.send_packet(bob.key, b"hello"))
    await bob.packet()
    alice.close()
    assert await bob.read() == (FrameType.PEER_GONE, alice.key + b"\x00")
    assert relay.server.counters.clients == 1


async def test_on_shutdown_clients_are_told_and_then_let_go(open_relay):
    relay = await open_relay()
    alice = await relay.dial()
    async with anyio.create_task_group() as group:
        group.start_soon(relay.server.close)
        assert (await alice.read())[0] == FrameType.RESTARTING
        assert await alice.ended()


async def test_a_sender_over_its_rate_is_slowed_down(open_relay):
    relay = await open_relay(Limits(bytes_per_second=200_000))
    alice, bob = await relay.dial(), await relay.dial()
    started = asyncio.get_running_loop().time()
    for _ in range(3):
        await alice.send(frames.send_packet(bob.key, bytes(40_000)))
        await bob.packet()
    assert asyncio.get_running_loop().time() - started > 0.05
    assert relay.server.counters.rate_limited


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_client_that_reads_nothing_loses_its_own_packets_only(open_relay, certificate, tls):
    relay = await open_relay(certificate=certificate if tls else None)
    alice, bob, slow = await relay.dial(), await relay.dial(), await relay.dial(lazy=True)
    flood = frames.send_packet(slow.key, bytes(60_000)) * 10
    for _ in range(40):
        await alice.send(flood)
        await alice.send(frames.send_packet(bob.key, b"still here"))
        assert await bob.packet() == (alice.key, b"still here")
        assert relay.server.relay._registry.active[slow.key].sink.pending() < 3 * Limits().queue
    assert set(relay.server.counters.packets_dropped) == {"queue_full"}


async def test_a_quiet_pair_beside_a_flooding_one_is_heard(open_relay):
    """Packets of the quiet pair are not lost, however many of the other's are, and wait for a few reads at the most."""
    relay = await open_relay()
    loud, listener, alice, bob = [await relay.dial() for _ in range(4)]
    flood = frames.send_packet(listener.key, bytes(1200)) * 50
    took = []
    async with anyio.create_task_group() as group:
        group.start_soon(_forever, loud.send, flood)
        group.start_soon(_forever, listener.reader.read, 65536)
        for number in range(30):
            started = asyncio.get_running_loop().time()
            await alice.send(frames.send_packet(bob.key, bytes([number])))
            assert await bob.packet() == (alice.key, bytes([number]))
            took.append(asyncio.get_running_loop().time() - started)
        group.cancel_scope.cancel()
    assert statistics.median(took) < 0.1
    assert relay.server.counters.packets_sent > 300


async def _forever(doing, *arguments):
    while True:
        await doing(*arguments)
        await asyncio.sleep(0)


async def test_clients_that_come_and_go_leave_nothing_behind(open_relay):
    relay = await open_relay()
    for _ in range(10):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(_come_and_go, relay)
    await anyio.sleep(0.05)
    assert relay.server.counters.clients == 0
    assert not relay.server._connections
    assert not relay.server.relay._audience._listeners


async def _come_and_go(relay):
    client = await relay.dial()
    await client.send(frames.send_packet(client.key, b"echo"))
    await client.packet()
    client.close()
