"""Replicas in the test's own process, on a real PostgreSQL."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from hatsize.tailnet.model import User
from hatsize.testing.client import FakeClient, MapStream
from hatsize.testing.server import RunningServer, free_port, running_server
from hatsize.testing.tailnet import ScratchTailnet
from hatsize_cluster.sealing import new_key
from hatsize_cluster.service import Cluster

LEASE = 2.0


class Replicas:
    """Starts replicas on one database; `one` and the like are their names."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.relays_beside = False
        self.url = url
        self.key_file = folder / "cluster.key"
        self.key_file.write_text(new_key())

    def settings(self, name: str, **more: object) -> dict[str, object]:
        cluster = {"key_file": str(self.key_file), "name": name, "lease": LEASE, **more}
        return {
            "derp": {"process": True, "listen": [f"127.0.0.1:{free_port()}"]} if self.relays_beside else {},
            "database": {"url": self.url},
            "plugins": {"enabled": ["cluster"], "cluster": cluster},
        }

    @contextlib.asynccontextmanager
    async def running(self, *names: str, **more: object) -> AsyncIterator[list[RunningServer]]:
        """Replicas that know of each other."""
        async with contextlib.AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(running_server(self.folder / name, self.settings(name, **more)))
                for name in names
            ]
            await self.until(lambda: all(len(self.cluster(each).others.members) >= len(names) - 1 for each in servers))
            yield servers

    @staticmethod
    def cluster(server: RunningServer) -> Cluster:
        found: Cluster = server.parts.live.services.replication
        return found

    @staticmethod
    async def key_of(server: RunningServer, **terms: object) -> str:
        """A new auth key, made by one replica."""
        scratch = ScratchTailnet()
        scratch.live = server.parts.live
        return await scratch.auth_key(next(server.parts.live.state.all(User)), **terms)

    @staticmethod
    async def joined(server: RunningServer, name: str, **terms: object) -> tuple[FakeClient, MapStream]:
        """A client that has registered with a replica, and its map stream there."""
        client = await server.client(name)
        await client.register(await Replicas.key_of(server, **terms))
        return client, await client.poll()

    @staticmethod
    async def moved(client: FakeClient, server: RunningServer) -> tuple[FakeClient, MapStream]:
        """The client at another replica."""
        there = await server.client(client.hostinfo.Hostname, client.machine)
        there.node_key, there.disco_key = client.node_key, client.disco_key
        return there, await there.poll()

    @staticmethod
    async def until(holds, seconds=10.0):
        with anyio.fail_after(seconds):
            while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
                await anyio.sleep(0.005)


@pytest.fixture
def replicas(tmp_path, postgres_server):
    return Replicas(tmp_path, postgres_server.new_database())
