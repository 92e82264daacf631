"""Requests that are answered without the web framework, and those that are not."""

import pytest

from hatsize.hooks.storage import StorageError
from hatsize.testing.client import FakeClient
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import Hostinfo, MapRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(tailnet):
    made = FakeClient.direct(tailnet.app, hostname="one")
    yield made
    await made.transport.close()


async def asked(client, path, body=b"{}", method="POST"):
    answer = await client.transport.request(method, path, body)
    return answer.status, await answer.body()


@pytest.mark.parametrize("path", ["/machine/register", "/machine/map"])
async def test_what_cannot_be_read_is_named(client, path):
    status, words = await asked(client, path, b"{")
    assert status == 400
    assert words.startswith(b"cannot read the request: ")


@pytest.mark.parametrize("path", ["/machine/register", "/machine/map"])
async def test_they_are_asked_by_post_only(client, path):
    assert await asked(client, path, b"", "GET") == (405, b"method not allowed\n")


async def test_a_report_that_cannot_be_stored_may_be_repeated(tailnet, client, monkeypatch):
    assert not (await client.register(await tailnet.auth_key())).Error

    async def failing(_command):
        raise StorageError("the disk is full")

    monkeypatch.setattr(tailnet.live, "run", failing)
    wanted = MapRequest(Version=113, NodeKey=client.node_key, Hostinfo=Hostinfo(Hostname="another"), OmitPeers=True)
    body = tailcfg.encode(wanted)
    assert await asked(client, "/machine/map", body) == (
        503,
        b"the server cannot store this now, try again: the disk is full\n",
    )


async def test_the_rest_goes_to_the_app_behind(client):
    status, body = await asked(client, "/machine/whoami", b"", "GET")
    assert status == 200
    assert b'"machineKey"' in body
    assert (await asked(client, "/machine/nothing"))[0] == 404


async def test_requests_are_counted_by_endpoint_and_status(tailnet, client):
    await asked(client, "/machine/map", b"{")
    assert tailnet.live.measures.requests["tunnel", "POST", "/machine/map", 400] == 1


async def test_who_hangs_up_before_it_has_asked_is_answered_nothing(tailnet):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await tailnet.app({"type": "http", "path": "/machine/map", "method": "POST"}, receive, send)
    assert sent == []
