"""Replicas as one server: what happens at one of them is known at the others."""

import asyncio
import json
import statistics
import time

import pytest

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.commands.logins import approve_login
from hatsize.tailnet.commands.nodes import rename_node
from hatsize.tailnet.model import LoginState, PendingLogin
from hatsize.testing.tailnet import ScratchTailnet
from hatsize_cluster.database import connected_now, conninfo

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]


def online(stream, name):
    return stream.netmap.peer(name).get("Online")


async def test_nodes_at_different_replicas_see_each_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        _, here = await replicas.joined(one, "desk")
        _, there = await replicas.joined(two, "phone")
        await here.until(lambda netmap: netmap.peer("phone").get("Online"))
        await there.until(lambda netmap: netmap.peer("desk").get("Online"))


async def test_a_change_at_one_is_told_at_the_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        await replicas.joined(one, "desk")
        _, there = await replicas.joined(two, "phone")
        await one.parts.live.run(lambda state: rename_node(state, 1, "lamp", one.parts.live.clock()))
        await there.until(lambda netmap: netmap.peer_names == ["lamp"])


async def test_plugins_seal_with_the_same_keys_at_each(replicas):
    async with replicas.running("one", "two") as (one, two):
        keys = [replica.parts.view.derived_key("door:visits") for replica in (one, two)]
    assert keys[0] == keys[1]


async def test_what_a_plugin_keeps_at_one_is_there_at_the_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        here, there = (replica.parts.view.store("door") for replica in (one, two))
        await here.put("visits", b"3")
        await replicas.until(lambda: there.get("visits") == b"3")


async def test_a_plugin_changes_what_another_replica_has_kept_a_moment_ago(replicas):
    async with replicas.running("one", "two") as (one, two):
        here, there = (replica.parts.view.store("door") for replica in (one, two))
        for number in range(20):
            await here.put(f"visits/{number}", b"3")
            if number % 2:
                await there.delete(f"visits/{number}")
            else:
                assert await there.swap(f"visits/{number}", b"3", None)
        assert there.items() == {}
        await replicas.until(lambda: here.items() == {})


async def test_what_a_node_reports_is_told_at_the_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        client, _ = await replicas.joined(one, "desk")
        _, there = await replicas.joined(two, "phone")
        await client.report(endpoints=["192.0.2.7:41641"], region=900)
        await there.until(lambda netmap: netmap.peer("desk").get("Endpoints") == ["192.0.2.7:41641"])
        await there.until(lambda netmap: netmap.peer("desk").get("HomeDERP") == 900)


async def test_a_node_that_moves_is_online_throughout(replicas):
    async with replicas.running("one", "two") as (one, two):
        _, watching = await replicas.joined(one, "desk")
        client, stream = await replicas.joined(one, "phone")
        await watching.until(lambda netmap: netmap.peer("phone").get("Online"))
        heard = []
        one.parts.live.attend(lambda *news: heard.append(news))
        two.parts.live.attend(lambda *news: heard.append(news))
        stream.close()
        await replicas.moved(client, two)
        await replicas.until(
            lambda: not one.parts.live.attendance.presence.is_here(2),
            one.parts.live.terms.offline_after.total_seconds() + 5,
        )
        assert one.parts.live.is_online(2)
        assert two.parts.live.is_online(2)
        assert (2, False) not in heard


async def test_all_replicas_have_the_key_that_the_first_one_brought(replicas):
    async with replicas.running("one", "two") as (one, two):
        assert one.parts.tunnel._key.raw == two.parts.tunnel._key.raw


async def test_a_login_that_waits_at_one_is_approved_at_the_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        client = await one.client("desk")
        answer = await client.register()
        auth_id = answer.AuthURL.rpartition("/")[2]
        await replicas.until(lambda: two.parts.live.state.index.login_by_auth_id)
        waiting = asyncio.create_task(client.register(followup=answer.AuthURL))
        await asyncio.sleep(0.1)
        await two.parts.registrar.approve(auth_id, 1, "cli")
        assert (await waiting).MachineAuthorized


async def test_an_ssh_check_that_went_through_at_one_is_known_at_the_other(replicas):
    async with replicas.running("one", "two") as (one, two):
        await replicas.joined(one, "desk")
        db, _ = await replicas.joined(two, "db")
        await scratch_of(one).save_policy(json.dumps({"ssh": [CHECKED]}))
        await replicas.until(lambda: two.parts.live.policy_document == one.parts.live.policy_document)
        path = "/machine/ssh/action/1/to/2?local_user=root"
        auth_id = (await asked(db, path))["holdAndDelegate"].rpartition("auth_id=")[2]
        await replicas.until(lambda: one.parts.live.state.index.login_by_auth_id)
        await one.parts.live.run(lambda state: approve_login(state, auth_id, one.parts.live.clock()))
        await replicas.until(lambda: not any(login.state is LoginState.PENDING for login in logins_at(two)))
        assert (await asked(db, path))["accept"]
        db, _ = await replicas.moved(db, one)
        assert (await asked(db, path))["accept"]


CHECKED = {"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]}


def logins_at(server):
    return server.parts.live.state.all(PendingLogin)


def scratch_of(server):
    scratch = ScratchTailnet()
    scratch.live = server.parts.live
    return scratch


async def asked(client, path):
    return json.loads(await (await client.transport.request("GET", path, b"")).body())


async def test_a_node_is_pinged_through_the_replica_it_is_connected_to(replicas):
    async with replicas.running("one", "two") as (one, two):
        client, stream = await replicas.joined(two, "desk")
        await replicas.until(lambda: one.parts.live.is_online(1))

        pinging = asyncio.create_task(one.parts.pings.ask(1, within=5))
        async with asyncio.timeout(10):
            while "PingRequest" not in (message := await anext(stream)):
                pass
        await client.post(message["PingRequest"]["URL"].removeprefix("https://unused"), b"pong" * 5000)
        assert await pinging == b"pong" * 5000


async def test_duties_are_one_replicas_and_move_on_when_it_ends(replicas):
    async with replicas.running("two") as (two,):
        async with replicas.running("one") as (one,):
            await replicas.until(lambda: replicas.cluster(one).others.members)
            await replicas.until(lambda: replicas.cluster(two).is_ours("mending"))
            assert not replicas.cluster(one).is_ours("mending")
        assert replicas.cluster(two).is_ours("mending")
    async with replicas.running("one", "two") as (one, two):
        await replicas.until(
            lambda: replicas.cluster(one).is_ours("mending") or replicas.cluster(two).is_ours("mending")
        )


@pytest.mark.parametrize("beside", [False, True], ids=["in the server", "beside it"])
async def test_relays_are_one_region_and_meshed(replicas, beside):
    replicas.relays_beside = beside
    async with replicas.running("one", "two") as (one, two):
        _, stream = await replicas.joined(one, "desk")
        await stream.until(lambda netmap: len(netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"]) == 2)
        nodes = stream.netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"]
        ports = [each.parts.relay.addresses[0][1] if beside else each.port for each in (one, two)]
        assert [node["DERPPort"] for node in nodes] == ports
        assert len({node["Name"] for node in nodes}) == 2
        await replicas.until(lambda: one.parts.view.replica.linked and two.parts.view.replica.linked)


async def test_a_relay_that_drains_stays_meshed_and_is_shown_to_nobody(replicas):
    """Its clients leave one after the other, and packets must reach them until they have."""
    async with replicas.running("one", "two") as (one, two):
        _, stream = await replicas.joined(one, "desk")
        await replicas.until(lambda: one.parts.view.replica.linked and two.parts.view.replica.linked)
        with connected_now(conninfo(replicas.url)) as connection:
            connection.execute("UPDATE cluster_replica SET draining = true WHERE name = 'two'")
        await stream.until(lambda netmap: len(netmap.rest["DERPMap"]["Regions"]["900"]["Nodes"]) == 1)
        assert [len(each.parts.view.replica.linked) for each in (one, two)] == [1, 1]


async def renames(server, _client, number):
    await server.parts.live.run(lambda state: rename_node(state, 1, f"desk{number}", server.parts.live.clock()))


async def moves(_server, client, number):
    await client.report(endpoints=[f"192.0.2.{number}:41641"])


@pytest.mark.parametrize("change", [renames, moves])
async def test_the_other_replicas_clients_hear_of_a_change_nearly_as_soon(replicas, change):
    """Under 50 ms more, half of the time."""
    async with replicas.running("one", "two") as (one, two):
        client, _ = await replicas.joined(one, "desk")
        streams = [(await replicas.joined(server, name))[1] for server, name in ((one, "lamp"), (two, "phone"))]
        for stream in streams:
            await stream.until(lambda netmap: netmap.peer("desk").get("Online"))
        later = []
        for number in range(20):
            here, there = (asyncio.create_task(heard(stream, number)) for stream in streams)
            await change(one, client, number)
            later.append(await there - await here)
        assert statistics.median(later) < 0.05


async def heard(stream, number):
    """When a client was told of the first node's name or endpoint of that number."""

    def is_told(netmap):
        node = netmap.peers[1]
        return node["Name"].startswith(f"desk{number}.") or node.get("Endpoints") == [f"192.0.2.{number}:41641"]

    await stream.until(is_told)
    return time.monotonic()


async def test_replicas_go_on_when_a_newer_release_has_changed_the_schema(replicas):
    async with replicas.running("one", "two") as (one, two):
        await replicas.joined(one, "desk")
        _, there = await replicas.joined(two, "phone")
        with connected_now(conninfo(replicas.url)) as connection:
            connection.execute("ALTER TABLE node ADD COLUMN colour text NOT NULL DEFAULT 'green'")
            connection.execute("UPDATE schema_core SET version_num = '9999'")
            connection.execute("ALTER TABLE cluster_replica ADD COLUMN mood text NOT NULL DEFAULT 'good'")
            connection.execute("UPDATE cluster_schema SET version = 99")
        await one.parts.live.run(lambda state: rename_node(state, 1, "lamp", one.parts.live.clock()))
        await there.until(lambda netmap: netmap.peer_names == ["lamp"])
        await replicas.joined(two, "tablet")
        await replicas.until(lambda: one.parts.live.is_online(3))
        with pytest.raises(StorageError, match="written by a newer Hatsize"):
            async with replicas.running("three"):
                pass
