"""Replicas on a real PostgreSQL, each a name server: a challenge that one of them has published all of them serve."""

import contextlib
import json

import anyio
import dns.asyncquery
import dns.message
import pytest

from hatsize.tailnet.model import User
from hatsize.testing.server import free_port, running_server
from hatsize.testing.tailnet import ScratchTailnet
from hatsize_dns.plugin import DnsPlugin
from hatsize_dns.seen import ASYNCIO

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]
BASE = "net.example.com"
CHALLENGE = f"_acme-challenge.desk.{BASE}"


@pytest.fixture
def replica(tmp_path, postgres_server, monkeypatch):
    """Runs a replica of a server; gives it and the port of its name server."""
    url, key_file = postgres_server.new_database(), tmp_path / "cluster.key"
    key_file.write_text("0123456789abcdef" * 4)

    @contextlib.asynccontextmanager
    async def running(name):
        port = free_port()
        monkeypatch.setattr("hatsize_dns.plugin.plugin", DnsPlugin())  # each process has its own
        settings = {
            "dns": {"base_domain": BASE},
            "database": {"url": url},
            "plugins": {
                "enabled": ["cluster", "dns"],
                "cluster": {"key_file": str(key_file), "name": name, "lease": 2.0},
                "dns": {"listen": [f"127.0.0.1:{port}"], "zones": [BASE], "lifetime": 60},
            },
        }
        async with running_server(tmp_path / name, settings) as server:
            yield server, port

    return running


async def values(port):
    query = dns.message.make_query(CHALLENGE, "TXT")
    answer = await dns.asyncquery.udp(query, "127.0.0.1", 5, port, backend=ASYNCIO)
    return sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)


async def until(wanted, port):
    with anyio.fail_after(10):
        while await values(port) != wanted:  # noqa: ASYNC110 - of the other side
            await anyio.sleep(0.02)


async def desk(server):
    """A client that is the node `desk`."""
    scratch = ScratchTailnet()
    scratch.live = server.parts.live
    client = await server.client("desk")
    await client.register(await scratch.auth_key(next(server.parts.live.state.all(User))))
    return client


async def set_dns(client, value):
    body = {"NodeKey": client.node_key, "Name": CHALLENGE, "Type": "TXT", "Value": value}
    await client.post("/machine/set-dns", json.dumps(body).encode())


async def test_a_challenge_put_at_one_replica_is_served_by_all_until_its_time(replica, monkeypatch):
    monkeypatch.setattr("hatsize_dns.publishing.LOOK_EVERY", 0.05)
    async with replica("one") as (one, here), replica("two") as (_, there):
        client = await desk(one)
        await set_dns(client, "one")
        assert await values(here) == ['"one"']
        await until(['"one"'], there)
        monkeypatch.setattr("hatsize_dns.building.time", lambda: 0.0)
        await set_dns(client, "one")  # its time is over at once
        await until([], here)
        await until([], there)
