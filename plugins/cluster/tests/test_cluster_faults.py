"""Replicas as real processes: killed, paused, cut off; and a database that dies, restarts, and fails over."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from hatsize.testing.client import FakeClient
from hatsize.testing.postgres import PostgresServer
from hatsize.testing.postgres_standby import Standby
from hatsize.testing.server import free_port
from hatsize_cluster.database import connected_now, conninfo
from hatsize_cluster.sealing import new_key
from hatsize_cluster.status import have_them_tell, read_status

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(120)]
LEASE = 2.0
HATSIZE = Path(sys.executable).with_name("hatsize")


class Replica:
    """A `hatsize serve` that can be killed, paused and started again."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, name: str, folder: Path, url: str, key_file: Path) -> None:
        self.name = name
        self.port = free_port()
        self.folder = folder / name
        self.environment = {
            **os.environ,
            "HATSIZE_DATA_DIR": str(self.folder),
            "HATSIZE_DATABASE_URL": url,
            "HATSIZE_LISTEN": f"127.0.0.1:{self.port}",
            "HATSIZE_STUN_ENABLED": "false",
            "HATSIZE_PLUGINS_ENABLED": "cluster",
            "HATSIZE_PLUGINS_CLUSTER_KEY_FILE": str(key_file),
            "HATSIZE_PLUGINS_CLUSTER_NAME": name,
            "HATSIZE_PLUGINS_CLUSTER_LEASE": str(LEASE),
        }
        self.log = folder / f"{name}.log"
        self.clients: list[FakeClient] = []

    async def start(self):
        with self.log.open("ab") as log:
            command = [HATSIZE, "serve"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)  # noqa: ASYNC220
        await until(self.accepts, 30, self.log.read_text)

    def accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def cli(self, *arguments):
        command = [HATSIZE, *arguments]
        return subprocess.run(command, check=True, env=self.environment, capture_output=True, text=True).stdout

    async def client(self, name, machine=None):
        made = await FakeClient.connect("127.0.0.1", self.port, hostname=name, machine=machine)
        self.clients.append(made)
        return made


async def until(holds, seconds=15.0, evidence=str):
    deadline = time.monotonic() + seconds
    while not await anyio.to_thread.run_sync(holds):
        assert time.monotonic() < deadline, evidence()
        await anyio.sleep(0.05)


class Cluster:
    """Two replicas with a client each, which watch each other."""

    def __init__(self, folder, url):
        self.url = url
        key_file = folder / "cluster.key"
        key_file.write_text(new_key())
        self.one, self.two = (Replica(name, folder, url, key_file) for name in ("one", "two"))

    async def start(self):
        await asyncio.gather(self.one.start(), self.two.start())
        await until(lambda: len(self.alive()) == 2, 15, self.evidence)
        made = await anyio.to_thread.run_sync(self.one.cli, "preauthkeys", "create", "--user", "1", "--reusable")
        self.key = made.split()[-1]
        self.desk, self.at_desk = await self.join(self.one, "desk")
        self.phone, self.at_phone = await self.join(self.two, "phone")
        await self.at_desk.until(lambda netmap: netmap.peer("phone").get("Online"))
        await self.at_phone.until(lambda netmap: netmap.peer("desk").get("Online"))

    async def join(self, replica, name):
        client = await replica.client(name)
        await client.register(self.key)
        return client, await client.poll()

    async def move(self, client, replica):
        there = await replica.client(client.hostinfo.Hostname, client.machine)
        there.node_key, there.disco_key = client.node_key, client.disco_key
        return there, await there.poll()

    def status(self):
        with connected_now(conninfo(self.url)) as connection:
            have_them_tell(connection)
            return {each.name: each for each in read_status(connection).replicas}

    def alive(self):
        return [each for each in self.status().values() if each.state == "serving"]

    def evidence(self):
        return "\n".join(replica.log.read_text()[-3000:] for replica in (self.one, self.two))

    async def close(self):
        for replica in (self.one, self.two):
            for client in replica.clients:
                await client.transport.close()
            replica.kill()


@pytest.fixture
async def cluster(tmp_path, postgres_server):
    made = Cluster(tmp_path, postgres_server.new_database())
    try:
        await made.start()
        yield made
    finally:
        await made.close()


def heard_offline(stream, name):
    return stream.netmap.peer(name).get("Online") is False


async def read_for(stream, seconds):
    """Take in whatever comes in that time."""
    with anyio.move_on_after(seconds):
        async for _ in stream:
            pass


async def test_a_replica_that_is_killed_takes_its_nodes_offline_after_its_lease(cluster):
    killed = time.monotonic()
    cluster.two.kill()
    await cluster.at_desk.until(lambda netmap: netmap.peer("phone").get("Online") is False)
    assert LEASE * 0.7 < time.monotonic() - killed < LEASE + 3


async def test_a_node_whose_replica_is_killed_and_that_comes_to_another_one_is_online_throughout(cluster):
    cluster.two.kill()
    _, stream = await cluster.move(cluster.phone, cluster.one)
    offline = []
    with anyio.move_on_after(LEASE + 2):
        async for message in cluster.at_desk:
            offline += [message] if heard_offline(cluster.at_desk, "phone") else []
    assert not offline
    await stream.until(lambda netmap: netmap.peer("desk").get("Online"))


async def test_duties_move_on_when_their_holder_is_killed(cluster):
    await until(lambda: sum(bool(each.duties) for each in cluster.alive()) == 1, 15, cluster.evidence)
    [holder] = [each.name for each in cluster.alive() if each.duties]
    lost, left = (cluster.one, cluster.two) if holder == "one" else (cluster.two, cluster.one)
    duties = cluster.status()[holder].duties
    lost.kill()
    await until(lambda: cluster.status()[left.name].duties == duties, 10, cluster.evidence)


async def test_a_paused_replica_loses_its_duties_and_does_no_harm_when_it_goes_on(cluster):
    await until(lambda: sum(bool(each.duties) for each in cluster.alive()) == 1, 15, cluster.evidence)
    [holder] = [each.name for each in cluster.alive() if each.duties]
    paused, left = (cluster.one, cluster.two) if holder == "one" else (cluster.two, cluster.one)
    watching, name = (cluster.at_phone, "desk") if holder == "one" else (cluster.at_desk, "phone")
    duties = cluster.status()[holder].duties
    paused.send(signal.SIGSTOP)
    await watching.until(lambda netmap: netmap.peer(name).get("Online") is False)
    await until(lambda: cluster.status()[left.name].duties == duties, 15, cluster.evidence)
    paused.send(signal.SIGCONT)
    await watching.until(lambda netmap: netmap.peer(name).get("Online"))
    await until(lambda: len(cluster.alive()) == 2, 10, cluster.evidence)
    assert not cluster.status()[holder].duties
    assert "joins the others anew" in paused.log.read_text()


async def test_a_restarted_database_takes_nobody_offline(cluster, postgres_server):
    postgres_server.kill()
    try:
        await read_for(cluster.at_desk, LEASE * 2)
        assert not heard_offline(cluster.at_desk, "phone")
    finally:
        postgres_server.start()
    await read_for(cluster.at_desk, LEASE * 2)
    assert not heard_offline(cluster.at_desk, "phone")
    await until(lambda: len(cluster.alive()) == 2, 15, cluster.evidence)
    await renamed(cluster)


async def renamed(cluster):
    """A change at one replica is told at the other."""
    await anyio.to_thread.run_sync(cluster.one.cli, "nodes", "rename", "lamp", "-i", "1")
    await cluster.at_phone.until(lambda netmap: netmap.peer("lamp"))


async def test_a_replica_that_was_cut_off_catches_up_by_itself(tmp_path, postgres_server):

    async with Cut(postgres_server.directory, tmp_path) as cut:
        cluster = Cluster(tmp_path, postgres_server.new_database())
        cluster.two.environment["HATSIZE_DATABASE_URL"] = cluster.url.replace(
            str(postgres_server.directory), str(cut.directory)
        )
        await cluster.start()
        try:
            cut.sever()
            await cluster.at_desk.until(lambda netmap: netmap.peer("phone").get("Online") is False)
            await anyio.to_thread.run_sync(cluster.one.cli, "nodes", "rename", "lamp", "-i", "1")
            cut.mend()
            await cluster.at_phone.until(lambda netmap: netmap.peer("lamp"), 30)
            await cluster.at_desk.until(lambda netmap: netmap.peer("phone").get("Online"), 30)
        finally:
            await cluster.close()


class Cut:
    """A way to the database that can be cut: nothing passes any more, and nobody is told so."""

    def __init__(self, to: Path, folder: Path) -> None:
        self.to = to / SOCKET
        self.directory = folder / "cut"
        self.directory.mkdir()
        self.open = asyncio.Event()
        self.open.set()
        self.ways: set[asyncio.Task[None]] = set()

    async def __aenter__(self):
        self.server = await asyncio.start_unix_server(self.pass_on, self.directory / SOCKET)
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for way in self.ways:
            way.cancel()
        await asyncio.gather(*self.ways, return_exceptions=True)

    def sever(self):
        self.open.clear()

    def mend(self):
        self.open.set()

    async def pass_on(self, reader, writer):
        there, back = await asyncio.open_unix_connection(self.to)
        for source, target in ((reader, back), (there, writer)):
            way = asyncio.create_task(self.carry(source, target))
            self.ways.add(way)

    async def carry(self, source, target):
        try:
            while data := await source.read(65536):
                await self.open.wait()
                target.write(data)
        except ConnectionError:
            pass
        finally:
            target.close()


SOCKET = ".s.PGSQL.5432"


@pytest.mark.usefixtures("postgres_server")
async def test_a_failover_to_a_standby_loses_nothing_and_takes_nobody_offline(tmp_path):
    """On servers of its own; the shared one tells whether there can be any."""
    with PostgresServer() as primary:
        standby = Standby()
        standby.follow(primary)
        cluster = Cluster(tmp_path, standby.beside(primary))
        try:
            await cluster.start()
            primary.kill()
            standby.promote()
            await read_for(cluster.at_desk, LEASE * 2)
            assert not heard_offline(cluster.at_desk, "phone")
            await until(lambda: len(cluster.alive()) == 2, 20, cluster.evidence)
            await renamed(cluster)
            assert "taken over by a standby" in cluster.one.log.read_text()
        finally:
            await cluster.close()
            standby.close()
