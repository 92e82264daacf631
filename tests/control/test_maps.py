"""`/machine/map` and the small endpoints beside it, as clients use them."""

import json

import pytest
from msgspec.structs import replace

from hatsize.tailnet.model import Node
from hatsize.testing.client import RefusedError
from hatsize.wire import tailcfg
from hatsize.wire.mapframe import FrameReader

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(tailnet, fake_client):
    async with fake_client("desk") as made:
        await made.register(await tailnet.auth_key())
        yield made
        tailnet.hub.close()


async def test_a_lite_update_is_taken_and_answered_with_nothing(tailnet, client):
    request = replace(client.map_request(stream=False), OmitPeers=True, Endpoints=("192.0.2.1:1",))
    assert await client.post("/machine/map", tailcfg.encode(request)) == b""
    assert tailnet.node("desk").endpoints == ("192.0.2.1:1",)
    assert len(tailnet.hub) == 0


async def test_a_lite_update_leaves_the_open_stream_alone(tailnet, client):
    stream = await client.poll()
    await stream.until(lambda netmap: netmap.own)
    await client.report(endpoints=["192.0.2.1:1"])
    assert len(tailnet.hub) == 1
    assert not stream.answer.ended


async def test_a_request_for_one_netmap_gets_one(tailnet, client):
    body = await client.post("/machine/map", tailcfg.encode(client.map_request(stream=False, zstd=False)))
    (message,) = FrameReader(compressed=False).receive(body)
    assert json.loads(message)["Node"]["Name"].startswith("desk.")
    assert len(tailnet.hub) == 0


async def test_a_read_only_request_changes_nothing(tailnet, client):
    before = tailnet.node("desk")
    request = replace(client.map_request(stream=False), ReadOnly=True, Endpoints=("192.0.2.1:1",))
    await client.post("/machine/map", tailcfg.encode(request))
    assert tailnet.node("desk") == before


async def test_a_new_host_name_renames_the_node_durably(tailnet, client):
    client.rename("table")
    await client.report()
    assert tailnet.node("table").id == 1
    assert next(row for row in tailnet.storage.load(1).records if isinstance(row, Node)).given_name == "table"


async def test_what_cannot_be_stored_is_said_in_words(tailnet, client):
    tailnet.storage.failing = "the disk is full"
    client.rename("table")
    with pytest.raises(RefusedError, match="the disk is full") as refused:
        await client.report()
    assert refused.value.status == 503
    assert tailnet.node("desk").id == 1


async def test_who_is_no_node_is_told_that_its_key_has_expired(client):
    client.rotate_key()
    netmap = await (await client.poll()).ended()
    assert netmap.own["Expired"]
    assert netmap.own["Key"] == client.node_key


async def test_another_machines_node_key_gets_no_netmap(tailnet, client, fake_client):
    async with fake_client("thief") as thief:
        thief.node_key = client.node_key
        for attempt in (thief.poll(), thief.report(endpoints=["192.0.2.66:1"])):
            with pytest.raises(RefusedError) as refused:
                await attempt
            assert refused.value.status == 403
    assert tailnet.node("desk").endpoints == ()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/machine/set-dns", 403), ("/machine/id-token", 501), ("/machine/feature/query", 200),
        ("/machine/update-health", 204), ("/machine/audit-log", 200), ("/machine/tka/init/begin", 501),
        ("/machine/nothing", 404), ("/machine/webclient/init", 501),
    ],
)  # fmt: skip
async def test_every_other_endpoint_answers_as_it_may(client, path, status):
    body = json.dumps({"NodeKey": client.node_key, "Type": "TXT", "Name": "x.example", "Value": "v"}).encode()
    answer = await client.transport.request("POST", path, body)
    assert answer.status == status
    assert b"<html" not in await answer.body()


async def test_a_wrong_method_is_refused_in_plain_text(client):
    answer = await client.transport.request("GET", "/machine/map", b"")
    assert (answer.status, await answer.body()) == (405, b"method not allowed\n")


async def test_a_device_sets_attributes_of_its_own(tailnet, client):
    body = {"NodeKey": client.node_key, "Update": {"custom:tier": "gold"}}
    await client.post("/machine/set-device-attr", json.dumps(body).encode())
    assert tailnet.node("desk").attributes == {"custom:tier": "gold"}
    body["Update"] = {"wrong": 1}
    with pytest.raises(RefusedError, match="'wrong'"):
        await client.post("/machine/set-device-attr", json.dumps(body).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"NodeKey":1}', b'{"NodeKey":"nodekey:zz"}', b"\xff", b"[" * 5000]
)
async def test_what_cannot_be_read_is_refused_in_words(client, body):
    for path in ("/machine/register", "/machine/map", "/machine/set-dns", "/machine/set-device-attr"):
        with pytest.raises(RefusedError, match="cannot read the request") as refused:
            await client.post(path, body)
        assert refused.value.status == 400
