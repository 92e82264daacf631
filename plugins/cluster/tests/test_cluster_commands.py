"""`hatsize cluster`: what it prints, and moving clients away."""

import os
import sys
from http.client import HTTPConnection
from pathlib import Path
from unittest.mock import ANY

import anyio
import msgspec
import pytest
from click.testing import CliRunner

from hatsize_cluster.commands import cluster
from hatsize_cluster.database import conninfo
from hatsize_cluster.sealing import read_key

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def run(replicas):
    """Runs a verb beside the replicas."""

    async def verb(*arguments):
        group = cluster(conninfo(replicas.url))
        return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(group, arguments))

    return verb


async def test_the_status_tells_of_every_replica(replicas, run):
    async with replicas.running("one", "two") as (one, two):
        await replicas.joined(one, "desk")
        await replicas.until(lambda: two.parts.live.is_online(1))
        await replicas.until(lambda: one.parts.view.replica.linked and two.parts.view.replica.linked)
        told = await run("status")
        assert told.exit_code == 0
        assert "serving" in told.output
        assert "removing ephemeral nodes" in told.output
        found = {
            each["name"]: each for each in msgspec.json.decode((await run("status", "-o", "json")).output)["replicas"]
        }
        assert [found[name]["sessions"] for name in ("one", "two")] == [1, 0]
        assert [found[name]["lag"] for name in ("one", "two")] == [0, 0]
        assert [(each["linked"], each["relays"]) for each in found.values()] == [(1, 1), (1, 1)]
        assert sum(bool(each["duties"]) for each in found.values()) == 1


async def test_before_any_replica_there_is_no_status(run):
    told = await run("status")
    assert told.exit_code == 1
    assert "no replica has ever joined" in told.output


async def test_programs_may_say_so_before_the_noun_too(replicas, tmp_path):
    async with replicas.running("one"):
        command = [Path(sys.executable).with_name("hatsize"), "--data-dir", tmp_path, "-o", "json-line", "cluster"]
        settings = {"HATSIZE_DATABASE_URL": replicas.url, "HATSIZE_PLUGINS_ENABLED": "cluster"}
        told = await anyio.run_process([*command, "status"], env={**os.environ, **settings})
        [found] = msgspec.json.decode(told.stdout)["replicas"]
        assert found["name"] == "one"
        assert told.stdout.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [["status"], ["drain", "one"]])
def test_a_database_that_is_away_is_told_in_words(arguments):
    told = CliRunner().invoke(cluster(conninfo("postgresql://u:hunter2@127.0.0.1:1/x")), arguments)
    assert told.exit_code == 1
    assert "Error: the database does not answer: " in told.output
    assert "hunter2" not in told.output


async def ready(server):
    """The status a balancer sees."""

    def ask():
        connection = HTTPConnection(server.host, server.port, timeout=5)
        try:
            connection.request("GET", "/cluster/ready")
            return connection.getresponse().status
        finally:
            connection.close()

    return await anyio.to_thread.run_sync(ask)


async def test_draining_moves_clients_away_without_a_gap(replicas, run):
    async with replicas.running("one", "two") as (one, two):
        client, stream = await replicas.joined(one, "desk")
        heard = []
        two.parts.live.attend(lambda *news: heard.append(news))
        await replicas.until(lambda: two.parts.live.is_online(1))
        told = await run("drain", "one", "--no-wait")
        assert told.exit_code == 0
        assert await ready(one) == 503
        await stream.ended()
        await replicas.moved(client, two)
        told = await run("drain", "one")
        assert "has no clients any more" in told.output
        assert (1, False) not in heard
        told = await run("drain", "one", "--cancel", "-o", "json")
        assert msgspec.json.decode(told.output) == {"id": ANY, "name": "one", "draining": False}
        await replicas.until(lambda: not replicas.cluster(one).is_draining())
        assert await ready(one) == 200


async def test_a_replica_that_is_not_there_cannot_drain(replicas, run):
    async with replicas.running("one"):
        told = await run("drain", "three")
        assert told.exit_code == 1
        assert "no replica 'three' is alive; there is: " in told.output


async def test_a_new_key_is_one(run, tmp_path):
    file = tmp_path / "key"
    file.write_text((await run("key")).output)
    assert len(read_key(file)) == 32
