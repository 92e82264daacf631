"""Relays of one region, meshed: ours with ours, and with Tailscale's own."""

import asyncio
import os
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from hatsize.derp.mesh import Mesh, MeshPeer
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.keys import PrivateKey
from tests.clients.lab import requirements

pytestmark = pytest.mark.anyio
MESH_KEY = "5a" * 32


@asynccontextmanager
async def meshed(relay, *peers, ssl_context=None):
    server = relay.server
    mesh = Mesh(server.relay, server.private, MESH_KEY, list(peers), ssl_context=ssl_context)
    async with anyio.create_task_group() as group:
        group.start_soon(mesh.run)
        yield
        group.cancel_scope.cancel()


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await anyio.sleep(0.01)
    pytest.fail("it never came true")


async def knows(relay, client):
    await until(lambda: relay.server.relay._elsewhere.link(client.key))


def test_a_peer_is_a_url_a_host_or_a_socket():
    assert MeshPeer.parse("derp2.example.com") == MeshPeer("derp2.example.com", 443, tls=True)
    assert MeshPeer.parse("https://[2001:db8::1]:8443") == MeshPeer("2001:db8::1", 8443, tls=True)
    assert MeshPeer.parse("http://relay") == MeshPeer("relay", 80)
    assert MeshPeer.parse("unix:/run/derp.sock") == MeshPeer("localhost", path="/run/derp.sock")
    assert str(MeshPeer.parse("relay")) == "https://relay:443"


@pytest.mark.parametrize(
    "text", ["", "ftp://relay", "https://", "https://relay:port", "https://relay:0", "not a host", "a..b"]
)
def test_what_is_no_peer(text):
    with pytest.raises(ValueError, match="no mesh peer"):
        MeshPeer.parse(text)


async def test_clients_on_either_side_talk(open_relay):
    here, there = await open_relay(mesh_key=MESH_KEY), await open_relay(mesh_key=MESH_KEY)
    alice, bob = await here.dial(), await there.dial()
    async with meshed(here, MeshPeer("127.0.0.1", there.port)), meshed(there, MeshPeer("127.0.0.1", here.port)):
        await knows(here, bob)
        await knows(there, alice)
        await alice.send(frames.send_packet(bob.key, b"over there"))
        assert await bob.packet() == (alice.key, b"over there")
        await bob.send(frames.send_packet(alice.key, b"and back"))
        assert await alice.packet() == (bob.key, b"and back")
        bob.close()
        assert await alice.read() == (FrameType.PEER_GONE, bob.key + b"\x00")


async def test_over_tls_and_over_a_unix_socket(open_relay, certificate, tmp_path):
    path = str(tmp_path / "relay.sock")
    there = await open_relay(mesh_key=MESH_KEY, certificate=certificate, path=path)
    bob = await there.dial()
    trusting = certificate.trusting()
    for peer in (MeshPeer("localhost", there.port, tls=True), MeshPeer("localhost", path=path)):
        here = await open_relay()
        async with meshed(here, peer, ssl_context=trusting):
            await knows(here, bob)


async def test_a_relay_does_not_mesh_with_itself(open_relay):
    here = await open_relay(mesh_key=MESH_KEY)
    with anyio.fail_after(5):
        await Mesh(here.server.relay, here.server.private, MESH_KEY, [MeshPeer("127.0.0.1", here.port)]).run()


async def test_a_link_that_breaks_is_made_again(open_relay):
    here, there = await open_relay(), await open_relay(mesh_key=MESH_KEY)
    bob = await there.dial()
    async with meshed(here, MeshPeer("127.0.0.1", there.port)):
        await knows(here, bob)
        there.server.relay.evict(here.server.private.public)
        await until(lambda: not here.server.counters.mesh_peers)
        await knows(here, bob)


async def test_without_the_mesh_key_there_is_no_mesh(open_relay, caplog):
    here, there = await open_relay(), await open_relay(mesh_key="00" * 32)
    await there.dial()
    async with meshed(here, MeshPeer("127.0.0.1", there.port)):
        await until(lambda: "broke" in caplog.text)
    assert here.server.counters.mesh_peers == 0


def derper():
    """The newest derper under the folder of binaries, or a skip (a failed test in CI)."""
    folder = Path(os.environ.get("HATSIZE_BIN_DIR", Path.home() / ".cache/hatsize/bin"))
    found = sorted(folder.glob("derper-*/derper")) or sorted(folder.glob("derper"))
    if not found:
        (pytest.fail if requirements.required() else pytest.skip)(
            f"no derper in {folder}: python -m tests.clients.lab.install makes it"
        )
    return found[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(arguments, environment):
    return subprocess.Popen([derper(), *arguments], env=environment, stderr=subprocess.DEVNULL)


@pytest.fixture
async def real_derper(certificate, tmp_path):
    """A derper on a free port that meshes with the given relay."""
    started = []

    async def start(with_port):
        shutil.copy(certificate.path, tmp_path / "127.0.0.1.crt")
        shutil.copy(certificate.path.with_suffix(".key"), tmp_path / "127.0.0.1.key")
        (tmp_path / "mesh.key").write_text(MESH_KEY)
        port = free_port()
        arguments = ["-a", f"127.0.0.1:{port}", "-stun=false", "-http-port", "-1", "-certmode", "manual"]
        arguments += ["-certdir", str(tmp_path), "-hostname", "127.0.0.1", "-c", str(tmp_path / "derper.json")]
        arguments += ["-mesh-psk-file", str(tmp_path / "mesh.key"), "-mesh-with", f"127.0.0.1:{with_port}"]
        environment = {**os.environ, "SSL_CERT_FILE": str(certificate.path)}
        started.append(spawn(arguments, environment))
        with anyio.fail_after(10):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                except OSError:
                    await anyio.sleep(0.05)
                else:
                    return port

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.mark.slow
async def test_a_mesh_with_tailscale_s_own_relay(open_relay, real_derper, certificate):
    here = await open_relay(mesh_key=MESH_KEY, certificate=certificate)
    port = await real_derper(here.port)
    there = type(here)(here.server, here.listener, certificate)
    there.port = port
    alice = await here.dial(PrivateKey.generate())
    async with meshed(here, MeshPeer("127.0.0.1", port, tls=True), ssl_context=certificate.trusting()):
        await until(lambda: here.server.counters.watchers)
        bob = await there.dial()
        await knows(here, bob)
        await alice.send(frames.send_packet(bob.key, b"to the real one"))
        assert await bob.packet() == (alice.key, b"to the real one")
        await bob.send(frames.send_packet(alice.key, b"and to ours"))
        assert await alice.packet() == (bob.key, b"and to ours")
        bob.close()
        assert await alice.read() == (FrameType.PEER_GONE, bob.key + b"\x00")
