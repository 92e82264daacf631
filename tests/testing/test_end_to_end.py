"""A whole server on loopback and clients that speak the whole protocol: what people do with a tailnet."""

import asyncio

import pytest

from hatsize.tailnet.commands.nodes import delete_node, expire_node, rename_node
from hatsize.tailnet.model import Node, User
from hatsize.testing.client import FakeClient, RefusedError
from hatsize.wire.keys import PrivateKey
from hatsize.wire.noise import NoiseError

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def join(server, hostname, machine=None, *, settled=True):
    """A client that is a node, with its map stream open."""
    client = await server.client(hostname, machine)
    answer = await client.register()
    auth_id = answer.AuthURL.rpartition("/")[2]
    owner = min(server.parts.live.state.all(User), key=lambda user: user.id)
    await server.parts.registrar.approve(auth_id, owner.id, "test")
    done = await client.register(followup=answer.AuthURL)
    assert (done.Error, done.AuthURL, done.Login.LoginName) == ("", "", owner.login_name)
    await client.report(endpoints=["192.0.2.1:41641"], region=900)
    stream = await client.poll()
    if settled:
        await stream.until(lambda netmap: netmap.own)
    return client, stream


def node_of(server, name):
    state = server.parts.live.state
    return state.get(Node, state.index.node_by_name[name])


async def test_nodes_join_and_see_each_other(hatsize_server):
    async with hatsize_server() as server:
        one, at_one = await join(server, "one")
        two, at_two = await join(server, "Two of Ours!")
        await at_one.until(lambda netmap: netmap.peer_names == ["two-of-ours"])
        await at_two.until(lambda netmap: netmap.peer_names == ["one"])
        await at_one.until(lambda netmap: netmap.peer("two-of-ours").get("Online"))
        peer = at_one.netmap.peer("two-of-ours")
        assert peer["Addresses"] == ["100.64.0.2/32", "fd7a:115c:a1e0::2/128"]
        assert peer["Endpoints"] == ["192.0.2.1:41641"]
        assert peer["HomeDERP"] == 900
        await two.report(endpoints=["198.51.100.7:1"])
        await at_one.until(lambda netmap: netmap.peer("two-of-ours").get("Endpoints") == ["198.51.100.7:1"])
        for client in (one, two):
            await client.transport.close()


async def test_a_renamed_an_expired_and_a_deleted_node(hatsize_server):
    async with hatsize_server() as server:
        live = server.parts.live
        _, at_one = await join(server, "one")
        _, at_two = await join(server, "two")
        two = node_of(server, "two").id
        await live.run(lambda state: rename_node(state, two, "zwei", live.clock()))
        await at_one.until(lambda netmap: netmap.peer_names == ["zwei"])
        await at_two.until(lambda netmap: netmap.own["Name"].startswith("zwei."))
        await live.run(lambda state: expire_node(state, two, live.clock(), live.clock()))
        await at_one.until(lambda netmap: netmap.peer("zwei").get("Expired"))
        await at_two.until(lambda netmap: netmap.own.get("Expired") and not netmap.peers)
        await live.run(lambda state: delete_node(state, two, live.clock()))
        await at_one.until(lambda netmap: not netmap.peers)
        last = await at_two.ended()
        assert last.own["Expired"]
        assert last.own["KeyExpiry"]


async def test_a_node_logs_out_and_back_in_as_the_same_node(hatsize_server):
    async with hatsize_server() as server:
        _, at_one = await join(server, "one")
        two, _ = await join(server, "two")
        before = node_of(server, "two")
        assert (await two.log_out()).Error == ""
        await at_one.until(lambda netmap: netmap.peer("two").get("Expired"))
        two.rotate_key()
        answer = await two.register()
        await server.parts.registrar.approve(answer.AuthURL.rpartition("/")[2], 1, "test")
        assert (await two.register(followup=answer.AuthURL)).AuthURL == ""
        after = node_of(server, "two")
        assert (after.id, after.addresses) == (before.id, before.addresses)
        await at_one.until(lambda netmap: netmap.peer("two") and not netmap.peer("two").get("Expired"))


async def test_a_killed_connection_is_taken_up_again(hatsize_server):
    async with hatsize_server() as server:
        machine = PrivateKey.generate()
        _, at_one = await join(server, "one")
        two, at_two = await join(server, "two", machine)
        await at_one.until(lambda netmap: netmap.peer("two").get("Online"))
        two.transport.kill()
        await at_two.ended()
        again = await server.client("two", machine)
        again.node_key = two.node_key
        assert (await again.register()).AuthURL == ""
        stream = await again.poll()
        await stream.until(lambda netmap: netmap.peer_names == ["one"])
        assert at_one.netmap.peer("two")["Online"], "it was not away for long enough to be told offline"


async def test_a_newer_stream_takes_the_place_of_the_older(hatsize_server):
    async with hatsize_server() as server:
        one, older = await join(server, "one")
        newer = await one.poll()
        await newer.until(lambda netmap: netmap.own)
        await older.ended()
        await join(server, "two", settled=False)
        await newer.until(lambda netmap: netmap.peer_names == ["two"])


async def test_a_restarted_server_knows_its_nodes_and_is_known_by_its_key(hatsize_server):
    machines = {name: PrivateKey.generate() for name in ("one", "two")}
    async with hatsize_server() as server:
        joined = {name: (await join(server, name, machine))[0] for name, machine in machines.items()}
        kept = {name: (node_of(server, name).id, node_of(server, name).addresses) for name in machines}
        noise_key = await _noise_key(server)
    async with hatsize_server() as server:
        assert await _noise_key(server) == noise_key
        assert {name: (node_of(server, name).id, node_of(server, name).addresses) for name in machines} == kept
        again = await server.client("one", machines["one"])
        again.node_key = joined["one"].node_key
        assert (await again.register()).AuthURL == ""
        stream = await again.poll()
        await stream.until(lambda netmap: netmap.peer_names == ["two"])
        assert stream.netmap.peer("two")["Endpoints"] == ["192.0.2.1:41641"]


async def _noise_key(server):
    from hatsize.testing.tunnel import server_key

    return await server_key(server.host, server.port, 113)


async def test_a_server_with_open_streams_is_gone_in_under_two_seconds(hatsize_server):
    async with hatsize_server() as server:
        streams = [(await join(server, f"n{number}"))[1] for number in range(5)]
        loop = asyncio.get_running_loop()
        begun = loop.time()
    assert loop.time() - begun < 2
    for stream in streams:
        await stream.ended()


async def test_an_old_client_is_told_what_to_do(hatsize_server):
    async with hatsize_server() as server:
        with pytest.raises((OSError, NoiseError), match=r"1\.80"):
            await FakeClient.connect(server.host, server.port, cap_version=60)


async def test_bad_input_in_the_tunnel_is_answered_and_the_server_goes_on(hatsize_server):
    async with hatsize_server() as server:
        one, at_one = await join(server, "one")
        thief = await server.client("thief")
        for path in ("/machine/register", "/machine/map", "/machine/set-dns", "/machine/update-health"):
            for body in (b"{", b"[]", b'"x"', b'{"NodeKey":"nodekey:00"}', b'{"NodeKey":7}', b"\xff\xfe", b"[" * 9999):
                with pytest.raises(RefusedError) as refused:
                    await thief.post(path, body)
                assert refused.value.status == 400, (path, body)
        thief.node_key = one.node_key
        assert "another machine" in (await thief.register()).Error
        with pytest.raises(RefusedError, match="another machine"):
            await thief.poll()
        thief.rotate_key()
        with pytest.raises(RefusedError) as refused:
            await thief.report()
        assert refused.value.status == 404
        stranger = await (await thief.poll()).ended()
        assert stranger.own["Expired"], "so that its client asks for a new login"
        with pytest.raises(RefusedError) as refused:
            await thief.post("/machine/register", b" " * (3 << 20))
        assert refused.value.status == 413
        with pytest.raises(RefusedError) as refused:
            await thief.post("/machine/nothing", b"{}")
        assert refused.value.status == 404
        await join(server, "two", settled=False)
        await at_one.until(lambda netmap: netmap.peer_names == ["two"])


async def test_a_request_on_a_connection_that_is_gone_fails_at_once(hatsize_server):
    async with hatsize_server() as server:
        one, stream = await join(server, "one")
        one.transport.kill()
        await stream.ended()
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                await one.register()
