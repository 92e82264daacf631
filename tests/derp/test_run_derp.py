"""`hatsize derp` as a whole: one port for TLS and plain HTTP, the relay and its pages."""

import os
import signal
import socket
import ssl

import anyio
import pytest

from hatsize.derp.settings import RelaySettings
from hatsize.server.derp import run_derp
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.handshake import ClientInfo

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def running(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = RelaySettings(tmp_path, listen=(("127.0.0.1", port),), stun=())
    async with anyio.create_task_group() as group:
        group.start_soon(run_derp, settings)
        for _ in range(500):
            try:
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
                break
            except OSError:
                await anyio.sleep(0.01)
        yield port, tmp_path
        group.cancel_scope.cancel()


def unverified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_clients_over_tls_and_plain_talk(running, dial):
    port, _ = running
    alice = await dial(port)
    bob = await dial(port, context=unverified())
    for each in (alice, bob):
        await each.login(ClientInfo(version=2))
    await alice.send(frames.send_packet(bob.key, b"hello"))
    assert await bob.packet() == (alice.key, b"hello")


async def test_it_has_its_pages(running):
    port, _ = running
    for tls in (False, True):
        context = unverified() if tls else None
        async with await anyio.connect_tcp("127.0.0.1", port, tls=tls, ssl_context=context) as stream:
            await stream.send(b"GET /generate_204 HTTP/1.1\r\nHost: relay\r\nX-Tailscale-Challenge: ts_relay\r\n\r\n")
            answer = (await stream.receive()).lower()
            assert answer.startswith(b"http/1.1 204")
            assert b"x-tailscale-response: response ts_relay" in answer


async def test_its_key_is_kept(running):
    _, data_dir = running
    assert (data_dir / "derp.key").stat().st_mode & 0o077 == 0


async def test_on_a_signal_clients_are_told_and_it_ends(running, dial):
    port, _ = running
    alice = await dial(port)
    await alice.login(ClientInfo(version=2))
    os.kill(os.getpid(), signal.SIGTERM)
    assert (await alice.read())[0] == FrameType.RESTARTING
    assert await alice.ended()
