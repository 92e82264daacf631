"""The hub: every open map stream is told what it lags behind, and nobody waits for anybody."""

import asyncio
import dataclasses
import logging
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace

from hatsize.control import pace, sessions
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import Change, Node
from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def short_rests(monkeypatch):
    """The hub rests as it does, a fifth as long."""
    monkeypatch.setattr(pace, "LONGEST_REST", 0.05)


@asynccontextmanager
async def joined(tailnet, *names):
    """Clients that are nodes, each with its stream open and told."""
    key = await tailnet.auth_key(reusable=True)
    clients = []
    for name in names:
        client = FakeClient.direct(tailnet.app, hostname=name)
        assert (await client.register(key)).Error == ""
        clients.append((client, await client.poll()))
    for _, stream in clients:
        await stream.until(lambda netmap: sum(peer["Online"] for peer in netmap.peers.values()) == len(names) - 1)
    await settled()
    try:
        yield clients
    finally:
        tailnet.hub.close()
        for client, _ in clients:
            await client.transport.close()


async def settled():
    """Until the hub has told everybody, and has rested."""
    await asyncio.sleep(pace.LONGEST_REST + 0.05)


def waiting(stream):
    """How many pieces the server has written and the client has not read."""
    return stream.answer._pieces.qsize()


async def test_an_idle_server_tells_at_once(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (two, _)):
        before = waiting(at_one)
        await two.report(endpoints=["192.0.2.1:1"])
        for _ in range(3):
            await asyncio.sleep(0)
        assert waiting(at_one) == before + 1


async def test_news_waits_for_who_is_at_the_door_and_no_longer(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (two, _)):
        tailnet.hub._pace._patience = 60.0
        before = waiting(at_one)
        tailnet.hub.door.enter("somebody")
        await two.report(endpoints=["192.0.2.1:1"])
        await asyncio.sleep(0.05)
        assert waiting(at_one) == before
        tailnet.hub.door.leave("somebody")
        for _ in range(3):
            await asyncio.sleep(0)
        assert waiting(at_one) == before + 1


async def test_who_stays_at_the_door_holds_nobody_up_for_long_and_only_once(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (two, _)):
        tailnet.hub._pace.told(0.0, took=1.0, changed=1)
        tailnet.hub.door.enter("somebody")
        await two.report(endpoints=["192.0.2.1:1"])
        await at_one.until(lambda netmap: netmap.peer("two").get("Endpoints") == ["192.0.2.1:1"])
        await settled()
        before = waiting(at_one)
        await two.report(endpoints=["192.0.2.1:2"])
        for _ in range(3):
            await asyncio.sleep(0)
        assert waiting(at_one) == before + 1


async def test_a_hub_that_closes_while_news_waits_tells_nothing(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (two, _)):
        tailnet.hub._pace._patience = 60.0
        before = waiting(at_one)
        tailnet.hub.door.enter("somebody")
        await two.report(endpoints=["192.0.2.1:1"])
        tailnet.hub.close()
        await settled()
        assert waiting(at_one) == before + 1, "the end of the stream"


async def test_a_node_is_not_told_its_own_change(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (two, at_two)):
        before = waiting(at_two)
        await two.report(endpoints=["192.0.2.1:1"], region=900)
        await at_one.until(lambda netmap: netmap.peer("two").get("HomeDERP") == 900)
        await settled()
        assert waiting(at_two) == before


async def test_changes_that_come_together_are_told_in_one_step(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), _):
        before = waiting(at_one)
        for port in range(1, 201):
            node = replace(tailnet.node("two"), endpoints=(f"192.0.2.1:{port}",))
            tailnet.live._writer._make_true(_change(tailnet, node))
        await settled()
        assert waiting(at_one) == before + 1
        await at_one.until(lambda netmap: netmap.peer("two").get("Endpoints") == ["192.0.2.1:200"])


async def test_a_blocked_stream_is_left_alone_and_told_one_bigger_step_when_it_can_be_written(tailnet):
    async with joined(tailnet, "one", "two", "three") as ((one, at_one), (two, _), (_, at_three)):
        sink = one.transport.sinks[-1]
        sink.stalled = True
        await two.report(endpoints=["192.0.2.1:1"])
        await at_one.until(lambda netmap: netmap.peer("two").get("Endpoints") == ["192.0.2.1:1"])
        for port in (2, 3, 4):
            await two.report(endpoints=[f"192.0.2.1:{port}"])
            await at_three.until(lambda netmap, port=port: netmap.peer("two").get("Endpoints") == [f"192.0.2.1:{port}"])
        assert waiting(at_one) == 0, "the others went on, it was not written to"
        sink.resume()
        message = await at_one.__anext__()
        assert message["PeersChangedPatch"][0]["Endpoints"] == ["192.0.2.1:4"]
        await settled()
        assert waiting(at_one) == 0


async def test_a_newer_stream_of_a_node_ends_the_older(tailnet):
    async with joined(tailnet, "one", "two") as ((one, older), (two, at_two)):
        newer = await one.poll()
        await older.ended()
        await newer.until(lambda netmap: netmap.peer_names == ["two"])
        await two.report(endpoints=["192.0.2.1:1"])
        await newer.until(lambda netmap: netmap.peer("two").get("Endpoints"))
        assert len(tailnet.hub) == 2
        assert at_two.netmap.peer("one")["Online"]


async def test_a_deleted_node_is_told_that_its_key_has_expired_and_its_stream_ends(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (_, at_two)):
        node_id = tailnet.node("two").id
        await tailnet.live.run(lambda state: delete_node(state, node_id, tailnet.clock()))
        last = await at_two.ended()
        assert last.own["Expired"]
        assert last.own["ID"] == node_id
        await at_one.until(lambda netmap: not netmap.peers)
        assert len(tailnet.hub) == 1


async def test_who_comes_back_soon_was_never_offline(tailnet, monkeypatch):
    async with joined(tailnet, "one", "two") as (_, (two, at_two)):
        at_two.close()
        again = await two.poll()
        await again.until(lambda netmap: netmap.own)
        await settled()
        assert tailnet.live.is_online(tailnet.node("two").id)
        assert not tailnet.hub._leaving


async def test_who_stays_away_is_told_offline_with_when_it_was_last_seen(tailnet):
    tailnet.live.terms = _soon(tailnet.live)
    async with joined(tailnet, "one", "two") as ((_, at_one), (_, at_two)):
        tailnet.clock.advance(minutes=5)
        at_two.close()
        await at_one.until(lambda netmap: not netmap.peer("two")["Online"])
        assert at_one.netmap.peer("two")["LastSeen"] == tailnet.clock().isoformat().replace("+00:00", "Z")


def _soon(live: LiveTailnet):
    return dataclasses.replace(live.terms, offline_after=timedelta(milliseconds=10))


async def test_an_ephemeral_node_that_stays_away_is_due_for_removal(tailnet):
    tailnet.live.terms = _soon(tailnet.live)
    async with joined(tailnet, "one") as ((_, at_one),):
        node = tailnet.node("one")
        tailnet.live._writer._make_true(_change(tailnet, replace(node, ephemeral=True)))
        assert tailnet.live.reapings.due(tailnet.clock.advance(hours=1)) == []
        at_one.close()
        await settled()
        assert tailnet.live.reapings.due(tailnet.clock.advance(hours=1)) == [node.id]


def _change(tailnet, *records):
    return Change(tailnet=1, kind="node.updated", puts=records, at=tailnet.clock())


async def test_a_quiet_stream_gets_keepalives_and_a_busy_one_none(tailnet, monkeypatch):
    async with joined(tailnet, "one") as ((_, stream),):
        now = sessions.monotonic()
        for second in range(1, 200):
            monkeypatch.setattr(sessions, "monotonic", lambda second=second: now + second)
            tailnet.hub.tick()
        while waiting(stream):
            await stream.__anext__()
        assert 2 <= stream.netmap.keepalives <= 4, "one every 50 to 58 seconds"


async def test_a_stream_that_takes_nothing_for_so_long_is_ended(tailnet, monkeypatch):
    async with joined(tailnet, "one", "two") as ((one, at_one), (two, _)):
        one.transport.sinks[-1].stalled = True
        await two.report(endpoints=["192.0.2.1:1"])
        await settled()
        now = sessions.monotonic()
        for second in range(1, 130):
            monkeypatch.setattr(sessions, "monotonic", lambda second=second: now + second)
            tailnet.hub.tick()
        await at_one.ended()
        assert [session.node.given_name for session in tailnet.hub] == ["two"]


async def test_one_netmap_that_cannot_be_made_ends_one_stream_only(tailnet, monkeypatch, caplog):
    async with joined(tailnet, "one", "two", "three") as ((_, at_one), (two, _), (_, at_three)):
        make, broken = tailnet.live.netmap.next, tailnet.node("one").id

        def next_(reader):
            if reader.node_id == broken:
                raise RuntimeError("a plugin's bug")
            return make(reader)

        monkeypatch.setattr(tailnet.live.netmap, "next", next_)
        with caplog.at_level(logging.ERROR):
            await two.report(endpoints=["192.0.2.1:1"])
            await at_three.until(lambda netmap: netmap.peer("two").get("Endpoints"))
            await at_one.ended()
        assert f"node {broken}" in caplog.text
        await two.report(endpoints=["192.0.2.1:2"])
        await at_three.until(lambda netmap: netmap.peer("two")["Endpoints"] == ["192.0.2.1:2"])


async def test_closing_ends_all_streams_and_tells_nobody_offline(tailnet):
    async with joined(tailnet, "one", "two") as ((_, at_one), (_, at_two)):
        tailnet.hub.close()
        for stream in (at_one, at_two):
            await stream.ended()
        assert all(tailnet.live.is_online(node.id) for node in tailnet.state.all(Node))
