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
ROOT = Path(__file__).parents[2]


@pytest.fixture
def shared_port():
    """Two relay processes behind one port; the port, and the process that started them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.derp.serve", str(port), "--processes", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
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


def test_each_listens_where_the_others_look(tmp_path):
    assert Sibling(tmp_path, 1, 2, "5a" * 32).socket == tmp_path / "relay-1.sock"
