"""A process as whoever makes it one of several moves it."""

import asyncio
import contextlib
from dataclasses import replace

import anyio
import pytest
from msgspec.structs import replace as with_fields

from hatsize.live.alone import Alone
from hatsize.server.replica import shared_key
from hatsize.tailnet.commands.nodes_routes import approve_routes
from hatsize.tailnet.model import User
from hatsize.testing.server import running_server
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.wire.keys import PrivateKey
from hatsize.wire.tailcfg import DERPNode

pytestmark = pytest.mark.anyio
MESH = "ab" * 32
OTHER_RELAY = DERPNode(Name="900-b", RegionID=900, HostName="192.0.2.2", DERPPort=8080)


@pytest.fixture
async def server(hatsize_server):
    async with hatsize_server() as running:
        yield running


async def joined(server, name="desk"):
    client = await server.client(name)
    await client.register(await key_of(server))
    return client, await client.poll()


async def key_of(server):
    scratch = ScratchTailnet()
    scratch.live = server.parts.live
    return await ScratchTailnet.auth_key(scratch, next(server.parts.live.state.all(User)))


async def until(holds, seconds=10):
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await anyio.sleep(0.01)


async def test_a_secret_is_the_one_all_replicas_have():
    theirs = PrivateKey.generate()

    class Shared(Alone):
        def shared_secret(self, storage, name, ours):
            return theirs.text().encode() if name == "noise" else ours

    tailnet = ScratchTailnet()
    object.__setattr__(tailnet.services, "replication", Shared())
    assert (await shared_key(tailnet.services, "noise", PrivateKey.generate())).raw == theirs.raw


async def test_clients_are_told_of_the_relays_of_all_replicas(server):
    _, stream = await joined(server)
    await stream.until(lambda netmap: "DERPMap" in netmap.rest)
    own = stream.netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"]
    server.parts.view.replica.show_relays([OTHER_RELAY])
    await stream.until(lambda netmap: netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"] != own)
    [node] = stream.netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"]
    assert node["HostName"] == "192.0.2.2"


async def test_relays_told_again_are_no_news(server):
    replica = server.parts.view.replica
    replica.show_relays([OTHER_RELAY])
    version = server.parts.live.state.version
    replica.show_relays([OTHER_RELAY])
    assert server.parts.live.state.version == version


async def test_clients_that_are_let_go_are_disconnected_and_stay_online(server):
    _, stream = await joined(server)
    await stream.until(lambda netmap: netmap.own)
    replica = server.parts.view.replica
    assert (replica.sessions, replica.connected()) == (1, frozenset({1}))
    assert replica.let_go(10) == 1
    with contextlib.suppress(EOFError, ConnectionError):
        await stream.ended()
    await until(lambda: replica.sessions == 0)
    assert server.parts.live.is_online(1)


async def test_a_silent_router_elsewhere_gives_its_routes_away_until_it_answers(server):
    live, replica = server.parts.live, server.parts.view.replica
    for name in ("one", "two"):
        client = await server.client(name)
        client.hostinfo = with_fields(client.hostinfo, RoutableIPs=("192.168.7.0/24",))
        await client.register(await key_of(server))
        node = live.state.index.node_by_name[name]
        await live.run(lambda state, node=node: approve_routes(state, node, ["192.168.7.0/24"], live.clock()))
    replica.be_elsewhere(frozenset({1, 2}))
    assert replica.routers.primaries == {"192.168.7.0/24": 1}
    replica.follow_routers(None, frozenset({1}))
    assert replica.routers.primaries == {"192.168.7.0/24": 2}
    replica.follow_routers({"192.168.7.0/24": 1}, frozenset())
    assert replica.routers.primaries == {"192.168.7.0/24": 1}


@contextlib.asynccontextmanager
async def meshing(one, other, relay):
    """`one` links to what it takes for the relay of `other`."""
    for server in (one, other):
        server.parts.view.replica.accept_mesh(MESH)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.parts.view.replica.mesh_with, relay)
        yield
        tasks.cancel_scope.cancel()


def reached(server):
    return replace(server.parts.view.replica.relay, port=server.port)


async def test_relays_of_two_replicas_mesh(server, tmp_path):
    async with running_server(tmp_path / "other") as other, meshing(server, other, reached(other)):
        await until(lambda: server.parts.view.replica.linked)
        assert list(server.parts.view.replica.linked) == [other.parts.view.replica.relay.key]
        assert other.parts.relay.counters.watchers == 1


async def test_a_relay_with_another_key_is_not_told_the_mesh_key(server, tmp_path, caplog):
    async with running_server(tmp_path / "other") as other:
        wrong = replace(reached(other), key="cd" * 32)
        async with meshing(server, other, wrong):
            await until(lambda: "where the relay that is meant has" in caplog.text)
            await asyncio.sleep(0.1)
            assert not server.parts.view.replica.linked
            assert other.parts.relay.counters.watchers == 0
