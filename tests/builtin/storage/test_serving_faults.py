"""A server whose storage fails: who is connected goes on, writes are refused in words, and it mends by itself."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from anyio import to_thread

from hatsize.builtin.storage import postgres, sqlite
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.cli.server import SocketConnection
from hatsize.tailnet.model import Node
from hatsize.testing.client import FakeClient
from hatsize.testing.server import free_port, running_server
from hatsize.wire.keys import PrivateKey

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NEWS = ["198.51.100.7:1"]
SOON = 15.0


class Tailnet:
    """A server with nodes `one` and `two`, connected, and a key for more."""

    def __init__(self, port, socket):
        self.port, self.socket = port, socket
        self.machine = PrivateKey.generate()
        self.clients = []

    async def begin(self):
        _, made = await self.ask("POST", "/preauthkey", {"user": "1", "reusable": True})
        self.key = made["preAuthKey"]["key"]
        self.one, self.at_one = await self.join("one", self.machine)
        self.two, self.at_two = await self.join("two")
        await self.at_one.until(lambda netmap: netmap.peer("two"))

    async def end(self):
        for client in self.clients:
            await client.transport.close()

    async def client(self, name, machine=None):
        self.clients.append(await FakeClient.connect("127.0.0.1", self.port, hostname=name, machine=machine))
        return self.clients[-1]

    async def join(self, name, machine=None):
        client = await self.client(name, machine)
        assert (await client.register(self.key)).Error == ""
        stream = await client.poll()
        await stream.until(lambda netmap: netmap.own)
        return client, stream

    async def ask(self, method, path, body=None):
        """Status and answer of API v1, as the command line gets them."""

        def asked():
            connection = SocketConnection(self.socket)
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/api/v1{path}", content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found = answer.status, json.loads(answer.read())
            connection.close()
            return found

        return await to_thread.run_sync(asked)

    async def health(self):
        def asked():
            connection = HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            found = answer.status, json.loads(answer.read())
            connection.close()
            return found

        return await to_thread.run_sync(asked)

    async def goes_on_for_who_is_connected(self):
        await self.two.report(endpoints=NEWS)
        await self.at_one.until(lambda netmap: netmap.peer("two").get("Endpoints") == NEWS)
        again = await self.client("one", self.machine)
        again.node_key = self.one.node_key
        self.at_one = await again.poll()
        await self.at_one.until(lambda netmap: netmap.peer_names == ["two"])
        assert [node["name"] for node in (await self.ask("GET", "/node"))[1]["nodes"]] == ["one", "two"]

    async def refuses_writes(self, words):
        newcomer = await self.client("three")
        answer = await newcomer.register(self.key)
        assert answer.Error.startswith("the server cannot store registrations now, try again: database ")
        assert words in answer.Error
        status, problem = await self.ask("POST", "/user", {"name": "otto"})
        assert status == 503
        assert problem["detail"].startswith("nothing was changed, try again: database ")
        assert words in problem["detail"]

    async def is_unwell(self, words):
        assert (await self.health())[0] == 500
        told = (await self.ask("GET", "/health"))[1]
        assert told["databaseConnectivity"] is False
        assert words in told["warnings"][0]

    async def gets_well_by_itself(self):
        for _ in range(int(SOON / 0.1)):
            if (await self.health())[0] == 200:
                break
            await asyncio.sleep(0.1)
        assert await self.health() == (200, {"status": "pass"})
        _, stream = await self.join("three")
        await stream.until(lambda netmap: netmap.peer_names == ["one", "two"])
        assert (await self.ask("POST", "/user", {"name": "otto"}))[0] == 200

    def has_stored_everything(self, url, data_dir):
        """After the server's end."""
        storage = SqlStorage(database_of(url, data_dir))
        storage.open()
        records = storage.load(1).records
        storage.close()
        nodes = {record.given_name: record for record in records if isinstance(record, Node)}
        assert sorted(nodes) == ["one", "three", "two"]
        assert list(nodes["two"].endpoints) == NEWS


async def survives(data_dir, url, words, failing):
    """`failing(storage)` is a context inside which nothing can be stored."""
    async with running_server(data_dir, {"database": {"url": url}}) as server:
        tailnet = Tailnet(server.port, server.parts.settings.socket)
        await tailnet.begin()
        async with failing(server.parts.live.services.storage):
            await tailnet.goes_on_for_who_is_connected()
            await tailnet.refuses_writes(words)
            await tailnet.is_unwell(words)
        await tailnet.gets_well_by_itself()
        await tailnet.end()
    tailnet.has_stored_everything(url, data_dir)


def pragma(storage, text):
    with storage.database.reading() as connection:
        told = connection.exec_driver_sql(f"PRAGMA {text}")
        return told.scalar() if told.returns_rows else None


async def test_a_read_only_file(tmp_path):
    @asynccontextmanager
    async def read_only(storage):
        pragma(storage, "query_only = ON")
        yield
        pragma(storage, "query_only = OFF")

    await survives(tmp_path, "", "is read-only; make it writable", read_only)


async def test_a_file_that_another_process_has_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)

    @asynccontextmanager
    async def locked(storage):
        other = sqlite3.connect(storage.database.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()

    await survives(tmp_path, "", "another process holds the database locked", locked)


@pytest.mark.postgres
async def test_postgresql_that_is_away(tmp_path, postgres_server):
    @asynccontextmanager
    async def away(_storage):
        await to_thread.run_sync(postgres_server.kill)
        try:
            yield
        finally:
            await to_thread.run_sync(postgres_server.start)

    await survives(tmp_path, postgres_server.new_database(), "try again", away)


def impatient(monkeypatch):
    """Sessions give up early."""
    monkeypatch.setattr(postgres, "SESSION", postgres.SESSION.replace("'30s'", "'300ms'").replace("'10s'", "'200ms'"))


@contextmanager
def another_session(url, tmp_path):
    """A transaction beside the server's, with all the patience in the world."""
    other = database_of(url, tmp_path)
    other.open()
    with other.writing() as connection:
        for patience in ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {patience} = 0")
        yield connection
    other.close()


@pytest.mark.postgres
async def test_rows_that_another_session_has_locked(tmp_path, postgres_url, monkeypatch):
    impatient(monkeypatch)

    @asynccontextmanager
    async def locked(_storage):
        with another_session(postgres_url, tmp_path) as session:
            session.exec_driver_sql("SELECT * FROM counter FOR UPDATE")
            yield

    await survives(tmp_path, postgres_url, "another process holds the rows locked", locked)


DAWDLE = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON change EXECUTE FUNCTION dawdle();
"""


@pytest.mark.postgres
async def test_a_query_that_takes_too_long(tmp_path, postgres_url, monkeypatch):
    impatient(monkeypatch)

    def run(statement):
        with another_session(postgres_url, tmp_path) as session:
            session.exec_driver_sql(statement)

    @asynccontextmanager
    async def slow(_storage):
        await to_thread.run_sync(run, DAWDLE)
        yield
        await to_thread.run_sync(run, "DROP TRIGGER slow ON change")

    await survives(tmp_path, postgres_url, "the query took too long", slow)


@pytest.mark.postgres
async def test_a_server_that_became_read_only(tmp_path, postgres_url, monkeypatch):
    """As a primary that was demoted to a standby."""

    @asynccontextmanager
    async def demoted(storage):
        monkeypatch.setattr(postgres, "SESSION", postgres.SESSION + ";SET default_transaction_read_only = on")
        storage.database._engine.dispose()
        yield
        monkeypatch.undo()

    await survives(tmp_path, postgres_url, "the server is read-only", demoted)


SERVE = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"'


class OnSmallDisk:
    """A server process whose data directory is a file system of three megabytes, in a mount namespace of its own."""

    def __init__(self, directory):
        self.port, mount = free_port(), directory / "d"
        mount.mkdir()
        serve = [str(Path(sys.executable).with_name("hatsize")), "serve", "--data-dir", str(mount)]
        command = ["unshare", "--mount", "sh", "-c", SERVE, str(mount), *serve, "--listen", f"127.0.0.1:{self.port}"]
        self.log = directory / "log"
        with self.log.open("wb") as log:
            environment = os.environ | {"HATSIZE_STUN_ENABLED": "false"}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.directory = Path(f"/proc/{self.process.pid}/root{mount}")

    async def started(self):
        for _ in range(300):
            if "Hatsize serves" in self.log.read_text():
                return
            assert self.process.poll() is None, self.log.read_text()
            await asyncio.sleep(0.1)

    def fill(self):
        with contextlib.suppress(OSError), (self.directory / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def empty(self):
        (self.directory / "filler").unlink()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.log.read_text()


@pytest.fixture
def on_small_disk():
    if os.geteuid() or not shutil.which("unshare"):
        assert os.environ.get("CI") != "true", "needs root and unshare"
        pytest.skip("needs root and unshare, for a file system of its own")
    with tempfile.TemporaryDirectory(prefix="hs-") as directory:
        server = OnSmallDisk(Path(directory))
        yield server
        server.process.kill()
        server.process.wait()


async def test_a_disk_that_is_really_full(on_small_disk):
    await on_small_disk.started()
    tailnet = Tailnet(on_small_disk.port, on_small_disk.directory / "hatsize.sock")
    await tailnet.begin()
    on_small_disk.fill()
    status, names = 200, ["default"]
    while status == 200 and len(names) < 1000:  # what room there is within the files is used up first
        name = f"user{len(names)}"
        status, _ = await tailnet.ask("POST", "/user", {"name": name})
        names += [name] if status == 200 else []
    await tailnet.goes_on_for_who_is_connected()
    await tailnet.refuses_writes("the disk is full; free some space and try again")
    await tailnet.is_unwell("the disk is full")
    on_small_disk.empty()
    await tailnet.gets_well_by_itself()
    stored = (await tailnet.ask("GET", "/user"))[1]["users"]
    assert [user["name"] for user in stored] == [*names, "otto"]
    await tailnet.end()
    on_small_disk.stop()
    log = on_small_disk.log.read_text()
    assert "Traceback" not in log
    assert log.count("storing reports") <= 2, "that it does not go, and that it goes on"
