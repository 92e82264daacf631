"""A server that is killed in the middle of registrations: who was told yes is there, with its addresses.

The long form is `python -m benchmarks.durability kills`.
"""

import asyncio

import pytest

from benchmarks.durability.kills import Server, run
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.tailnet.model import Node
from hatsize.testing.client import FakeClient

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.timeout(180)]


async def survives(folder, engine):
    found = await run(folder, engine, registrations=400, seed=3, deadline=60.0)
    assert found.findings == []
    assert found.stored >= len(found.told) > 20
    assert sum(found.kills.values()) >= 1


async def test_on_sqlite(tmp_path):
    await survives(tmp_path, "sqlite")


@pytest.mark.postgres
async def test_on_postgresql_which_is_killed_too(tmp_path, postgres_server):
    await survives(tmp_path, "postgresql")


WRITTEN_BEHIND = 2.0
"""Half a second, and plenty for a busy machine."""


async def test_of_what_nodes_tell_only_the_last_moment_is_lost(tmp_path):
    (tmp_path / "data").mkdir()
    server = Server(tmp_path / "data", "")
    await server.start()
    try:
        key = server.ask("preauthkeys", "create", "--user", "1")["key"]
        async with await FakeClient.connect("127.0.0.1", server.port, hostname="desk") as client:
            assert (await client.register(key)).Error == ""
            await client.report(endpoints=["192.0.2.1:1"])
            await asyncio.sleep(WRITTEN_BEHIND)
            await client.report(endpoints=["192.0.2.1:2"])
            server.kill()
    finally:
        server.kill()
    storage = SqlStorage(database_of("", tmp_path / "data"))
    storage.open()
    (node,) = (record for record in storage.load(1).records if isinstance(record, Node))
    storage.close()
    assert node.endpoints[0] in {"192.0.2.1:1", "192.0.2.1:2"}
