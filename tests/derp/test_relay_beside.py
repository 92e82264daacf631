"""A relay in a process of its own beside a server: whom it admits, what it shows, that it comes back."""

import hashlib
import os
import signal
import socket
import ssl
import subprocess

import anyio
import pytest

from hatsize.server.tls import CertificateFiles, pin
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import User
from hatsize.testing.server import free_port
from hatsize.wire.derp import frames
from hatsize.wire.derp.handshake import ClientInfo
from hatsize.wire.keys import PrivateKey, node_key
from hatsize.wire.stun import build_request, build_response

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def beside(port, **more):
    return {"derp": {"process": True, "listen": [f"127.0.0.1:{port}"]}, **more}


@pytest.fixture
async def server(hatsize_server):
    """A server with its relay beside it."""
    async with hatsize_server(beside(free_port())) as running:
        yield running


def port_of(server):
    return server.parts.relay.addresses[0][1]


async def node(server, name):
    """The private key of a node that has just registered."""
    private = PrivateKey.generate()
    client = await server.client(name)
    client.node_key = node_key(private.public)
    url = (await client.register()).AuthURL
    owner = min(server.parts.live.state.all(User), key=lambda user: user.id)
    await server.parts.registrar.approve(url.rpartition("/")[2], owner.id, "test")
    await client.register(followup=url)
    return private


async def delete(server, name):
    live = server.parts.live
    found = live.state.index.node_by_name[name]
    await live.run(lambda state: delete_node(state, found, live.clock()))


async def logged_in(server, dial, private, **how):
    client = await dial(port_of(server), private, **how)
    await client.login(ClientInfo(version=2))
    return client


def children():
    """The process ids of this process's own children that are relays."""
    command = ["ps", "-ww", "--ppid", str(os.getpid()), "-o", "pid=,args="]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [int(line.split()[0]) for line in lines if "spawn_main" in line]


async def test_nodes_that_registered_a_moment_ago_talk(server, dial):
    alice, bob = [await logged_in(server, dial, await node(server, name)) for name in ("alice", "bob")]
    await alice.send(frames.send_packet(bob.key, b"hello"))
    assert await bob.packet() == (alice.key, b"hello")


async def test_a_stranger_is_turned_away(server, dial):
    stranger = await dial(port_of(server))
    await stranger.send(stranger.introduction(ClientInfo(version=2)))
    assert await stranger.ended()


async def test_a_deleted_node_is_cut_off_and_stays_out(server, dial):
    private = await node(server, "alice")
    alice = await logged_in(server, dial, private)
    await delete(server, "alice")
    assert await alice.ended()
    again = await dial(port_of(server), private)
    await again.send(again.introduction(ClientInfo(version=2)))
    assert await again.ended()


async def test_it_comes_back_when_it_dies(server, dial):
    private = await node(server, "alice")
    alice = await logged_in(server, dial, private)
    (before,) = children()
    os.kill(before, signal.SIGKILL)
    assert await alice.ended()
    await logged_in(server, dial, private)  # waits in the server's socket until the process is back
    assert children() != [before]


async def test_stun_is_answered_in_the_relay_s_process_and_counted(hatsize_server):
    stun, transaction = free_port(), b"0123456789ab"
    async with hatsize_server(beside(free_port(), stun={"listen": f"127.0.0.1:{stun}"})) as server:
        async with await anyio.create_connected_udp_socket("127.0.0.1", stun) as client:
            with anyio.fail_after(20):
                await client.send(build_request(transaction))
                address, port = client.extra(anyio.abc.SocketAttribute.local_address)
                assert await client.receive() == build_response(transaction, address, port)
        with anyio.fail_after(20):
            while not server.parts.figures.stun().answered_ipv4:  # noqa: ASYNC110 - told every few seconds
                await anyio.sleep(0.1)


async def test_it_ends_with_the_server(hatsize_server, dial):
    port = free_port()
    async with hatsize_server(beside(port)) as server:
        alice = await logged_in(server, dial, await node(server, "alice"))
        assert len(children()) == 1
    assert await alice.ended()
    assert children() == []
    with pytest.raises(OSError, match=r"\[Errno 111\]"):
        await dial(port)


async def test_clients_are_told_its_port_and_the_shared_pin(server):
    (region,) = server.parts.relay_map(130).Regions.values()
    (told,) = region.Nodes
    assert told.DERPPort == port_of(server)
    assert told.CertName == pin(server.parts.certificates.files.certificate)
    shown = await anyio.to_thread.run_sync(ssl.get_server_certificate, ("127.0.0.1", told.DERPPort))
    assert told.CertName == "sha256-raw:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()


async def test_another_certificate_is_shown_at_once(server, certificate, dial):
    await logged_in(server, dial, await node(server, "alice"))
    files = CertificateFiles(certificate.path, certificate.path.with_suffix(".key"))
    server.parts.certificates.install(files, certificate)
    for _ in range(50):
        shown = await anyio.to_thread.run_sync(ssl.get_server_certificate, ("127.0.0.1", port_of(server)))
        if shown == certificate.path.read_text():
            return
        await anyio.sleep(0.1)
    pytest.fail("the former certificate is shown still")


async def test_the_server_knows_its_counters(server, dial):
    await logged_in(server, dial, await node(server, "alice"))
    for _ in range(100):
        if server.parts.relay.counters.snapshot().get("clients") == 1:
            return
        await anyio.sleep(0.1)
    pytest.fail("the server does not hear of its relay's client")


async def test_a_port_in_use_is_named_with_the_mend(hatsize_server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BaseExceptionGroup) as refused:
            async with hatsize_server(beside(port)):
                pass
    assert f"cannot relay on 127.0.0.1:{port}" in str(refused.value.exceptions)
    assert "derp.listen" in str(refused.value.exceptions)
