"""A server that is killed in the middle of registrations: who was told yes is still there afterwards."""

import asyncio
import os
import signal
import sys

import pytest

from hatsize.testing.client import FakeClient
from hatsize.testing.server import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SERVE = """
import sys
from pathlib import Path
from hatsize.server.serve import run
from hatsize.server.settings import Settings
run(Settings.model_validate({
    "data_dir": Path(sys.argv[1]), "listen": [sys.argv[2]], "stun": {"enabled": False},
    "derp": {"enabled": False},
}))
"""


async def serve(data_dir, port):
    """A server process that accepts connections."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(data_dir), f"127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readuntil(b"Hatsize serves")
    return process


async def test_everybody_who_was_told_yes_is_still_there(tmp_path):
    port = free_port()
    process = await serve(tmp_path, port)
    welcomed, enough = {}, asyncio.Event()

    async def register(number):
        """Join on one's own, approved by whoever holds the local socket."""
        async with await FakeClient.connect("127.0.0.1", port, hostname=f"n{number}") as client:
            asked = await client.register()
            approval = approve(tmp_path, asked.AuthURL.rpartition("/")[2])
            answer, _ = await asyncio.gather(client.register(followup=asked.AuthURL), approval)
            assert answer.Error == ""
            stream = await client.poll()
            netmap = await stream.until(lambda netmap: netmap.own)
            welcomed[number] = (client.machine, client.node_key, netmap.own["Addresses"])
            if len(welcomed) == 8:
                enough.set()

    tasks = [asyncio.create_task(register(number)) for number in range(40)]
    async with asyncio.timeout(30):
        await enough.wait()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 8 <= len(welcomed) < 40, "it was killed in the middle"

    process = await serve(tmp_path, port)
    try:
        addresses = []
        for machine, node_key, had in welcomed.values():
            async with await FakeClient.connect("127.0.0.1", port, machine=machine) as client:
                client.node_key = node_key
                answer = await client.register()
                assert (answer.Error, answer.AuthURL, answer.NodeKeyExpired) == ("", "", False)
                netmap = await (await client.poll()).until(lambda netmap: netmap.own)
                assert netmap.own["Addresses"] == had
                addresses += had
        assert len(addresses) == len(set(addresses))
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def approve(data_dir, auth_id):
    """Over the API's Unix socket, as the command line does."""
    body = f'{{"user":"default","authId":"{auth_id}"}}'.encode()
    reader, writer = await asyncio.open_unix_connection(os.fspath(data_dir / "hatsize.sock"))
    writer.write(
        b"POST /api/v1/auth/register HTTP/1.1\r\nHost: local\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 200 " in answer.partition(b"\r\n")[0], answer
