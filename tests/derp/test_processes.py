"""Several relay processes that share a port."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from hatsize.derp.processes import Sibling
from hatsize.wire.derp import frames
from hatsize.wire.derp.handshake import ClientInfo

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
HATSIZE = Path(sys.executable).with_name("hatsize")


@pytest.fixture
def shared_port(tmp_path):
    """Two relay processes behind one port; the port, and the process that started them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = ["--processes", "2", "--listen", f"127.0.0.1:{port}", "--stun", "", "--data-dir", str(tmp_path)]
    process = subprocess.Popen([HATSIZE, "derp", *flags], stderr=subprocess.DEVNULL)
    yield port, process
    process.terminate()
    process.wait(10)


async def answers(dial, port):
    for _ in range(200):
        try:
            client = await dial(port)
            await client.login(ClientInfo(version=2))
        except OSError:
            await anyio.sleep(0.05)
        else:
            return client
    return pytest.fail("the relays never listened")


async def tell(sender, receiver):
    """Send until it arrives, as clients do while a mesh comes up."""
    for _ in range(100):
        await sender.send(frames.send_packet(receiver.key, b"hello"))
        with anyio.move_on_after(0.1):
            return await receiver.packet()
    return None


def children(process):
    found = subprocess.run(
        ["ps", "-ww", "--ppid", str(process.pid), "-o", "pid=,args="], capture_output=True, check=True
    )
    lines = found.stdout.decode().splitlines()
    return [int(line.split()[0]) for line in lines if "spawn_main" in line]


async def test_clients_talk_whichever_process_they_land_on(shared_port, dial):
    port, _ = shared_port
    await answers(dial, port)
    await anyio.sleep(1)
    clients = [await answers(dial, port) for _ in range(8)]
    for sender in clients:
        for receiver in clients:
            assert await tell(sender, receiver) == (sender.key, b"hello")


async def test_a_process_that_dies_is_started_again(shared_port, dial):
    port, process = shared_port
    await answers(dial, port)
    await anyio.sleep(1)
    before = children(process)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (now := children(process)) == before or len(now) < 2:
        assert time.monotonic() < deadline
        await anyio.sleep(0.1)
    await anyio.sleep(1.5)
    clients = [await answers(dial, port) for _ in range(6)]
    assert await tell(clients[0], clients[-1]) == (clients[0].key, b"hello")


async def test_they_end_with_the_one_that_started_them(shared_port, dial):
    port, process = shared_port
    client = await answers(dial, port)
    process.kill()
    process.wait()
    with anyio.fail_after(10):
        assert await client.ended()
    await anyio.sleep(0.5)
    with pytest.raises(OSError, match=r"refused|failed"):
        await dial(port)


def test_each_listens_where_the_others_look(tmp_path):
    assert Sibling(tmp_path, 1, 2, "5a" * 32).socket == tmp_path / "relay-1.sock"
