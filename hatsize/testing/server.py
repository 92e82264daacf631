"""A whole server in the test's own process, on loopback ports of its own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hatsize.server.assemble import Parts
from hatsize.server.serve import serve
from hatsize.server.settings import Settings
from hatsize.testing.client import FakeClient
from hatsize.wire.keys import PrivateKey

START = 20.0
"""Seconds in which a server must accept connections."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that accepts connections."""

    parts: Parts
    host: str
    port: int
    clients: list[FakeClient] = field(default_factory=list)
    """Those that `client` made; they are closed with the server."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def client(self, hostname: str = "fake", machine: PrivateKey | None = None) -> FakeClient:
        """A client with an open tunnel to it."""
        made = await FakeClient.connect(self.host, self.port, hostname=hostname, machine=machine)
        self.clients.append(made)
        return made


@contextlib.asynccontextmanager
async def running_server(data_dir: Path, settings: Mapping[str, Any] | None = None) -> AsyncIterator[RunningServer]:
    """Serve inside, from a data directory. It listens on a free port of 127.0.0.1, and has no STUN.

    Args:
        data_dir: what a server left there before is taken up again.
        settings: more settings, as `{"dns": {"base_domain": "example.net"}}`.
    """
    host, port = "127.0.0.1", free_port()
    chosen = {"listen": [f"{host}:{port}"], "stun": {"enabled": False}}
    made = Settings.model_validate({"data_dir": data_dir, **chosen, **(settings or {})})
    ready: asyncio.Queue[Parts | None] = asyncio.Queue()
    task = asyncio.create_task(serve(made, ready.put_nowait))
    task.add_done_callback(lambda _: ready.put_nowait(None))
    server = None
    try:
        async with asyncio.timeout(START):
            parts = await ready.get()
        if parts is None:
            await task
            raise OSError("the server ended at once")
        server = RunningServer(parts, host, port)
        yield server
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for client in server.clients if server else ():
            await client.transport.close()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
