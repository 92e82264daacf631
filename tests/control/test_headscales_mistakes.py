"""What Headscale is known to do wrong on the wire, and clients notice: done right here (control-plane facts, F3)."""

import json
from contextlib import AsyncExitStack

import pytest

from hatsize.tailnet.commands.roles import set_role
from hatsize.testing.client import FakeClient
from hatsize.wire import tailcfg
from hatsize.wire.mapframe import FrameReader
from hatsize.wire.tailcfg import Hostinfo, NetInfo

pytestmark = pytest.mark.anyio
ADMIN = "https://tailscale.com/cap/is-admin"
NOBODY = '{"grants": []}'


@pytest.fixture
async def join(tailnet):
    """Makes clients join, by host name; each with its stream, the whole netmap read."""
    async with AsyncExitStack() as clients:

        async def joined(name, user=None, cap_version=113):
            made = FakeClient.direct(tailnet.app, hostname=name, cap_version=cap_version)
            client = await clients.enter_async_context(made)
            await client.register(await tailnet.auth_key(user))
            stream = await client.poll()
            await stream.until(lambda netmap: netmap.own)
            return client, stream

        yield joined
        tailnet.hub.close()


async def heard_until(stream, name):
    """All messages up to the one that tells of a peer of that name."""
    messages = []
    while name not in stream.netmap.peer_names:
        messages.append(await anext(stream))
    return messages


async def test_a_node_is_not_told_what_it_has_told(join):
    client, stream = await join("one")
    await client.report(endpoints=["192.0.2.1:1"], region=900)
    await join("two")
    messages = await heard_until(stream, "two")
    assert not any("PeersChangedPatch" in message or "Node" in message for message in messages)


async def test_what_is_no_news_is_told_to_nobody(join):
    _, stream = await join("one")
    two, _ = await join("two")
    await two.report(endpoints=["192.0.2.2:1"])
    await stream.until(lambda netmap: netmap.peer("two").get("Endpoints"))
    for _ in range(3):
        await two.report(endpoints=["192.0.2.2:1"])
    await join("three")
    assert all("PeersChangedPatch" not in message for message in await heard_until(stream, "three"))


async def test_a_stream_begins_with_the_whole_netmap(join):
    await join("one")
    client, _ = await join("two")
    message = await anext(await client.poll())
    assert {"Node", "DERPMap", "Domain", "Peers", "UserProfiles", "PacketFilters", "DNSConfig"} <= message.keys()


async def test_a_request_for_one_netmap_gets_a_whole_one(join):
    await join("one")
    client, _ = await join("two")
    body = await client.post("/machine/map", tailcfg.encode(client.map_request(stream=False, zstd=False)))
    (message,) = FrameReader(compressed=False).receive(body)
    assert {"Node", "DERPMap", "Peers", "UserProfiles", "PacketFilters", "DNSConfig"} <= json.loads(message).keys()


async def test_a_peer_is_told_with_its_own_capability_version(join):
    await join("old")
    _, stream = await join("new", cap_version=130)
    assert stream.netmap.peer("old")["Cap"] == 113
    assert stream.netmap.own["Cap"] == 130


async def test_peers_are_told_of_a_host_what_they_need_alone(tailnet, join):
    client, _ = await join("desk")
    client.hostinfo = Hostinfo(
        Hostname="desk", OS="linux", DeviceModel="X1", NetInfo=NetInfo(PreferredDERP=900, DERPLatency={"900-v4": 0.1})
    )
    await client.report()
    _, stream = await join("other")
    told = stream.netmap.peer("desk")["Hostinfo"]
    assert (told["OS"], told["Hostname"]) == ("linux", "desk")
    assert not {"NetInfo", "DeviceModel", "IPNVersion"} & told.keys()


async def test_only_users_of_visible_peers_are_told_of(tailnet, join):
    bob = await tailnet.add_user("bob")
    await join("desk", bob)
    await tailnet.save_policy(NOBODY)
    _, stream = await join("lone")
    assert stream.netmap.peers == {}
    assert list(stream.netmap.profiles) == [stream.netmap.own["User"]]


async def test_only_owners_and_admins_are_told_that_they_are(tailnet, join):
    bob = await tailnet.add_user("bob")
    for role, told in (("member", False), ("admin", True)):
        await tailnet.live.run(lambda state, role=role: set_role(state, bob.id, role, tailnet.clock()))
        _, stream = await join(f"of-{role}", bob)
        assert (ADMIN in stream.netmap.own["CapMap"]) is told


async def test_a_client_may_ask_to_be_forgotten_when_it_goes(tailnet, fake_client):
    async with fake_client("short") as client:
        await client.register(await tailnet.auth_key(), ephemeral=True)
        assert tailnet.node("short").ephemeral
