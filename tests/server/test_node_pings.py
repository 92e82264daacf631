"""Pings an administrator asks for: answered by a client, or told why not."""

import asyncio

import pytest

from hatsize.control.pings import NoAnswerError
from hatsize.server.node_pings import ping, ping_from
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import PingResponse

pytestmark = pytest.mark.anyio
TARGET = "100.64.0.9"


@pytest.fixture
async def client(tailnet, fake_client):
    async with fake_client("desk") as made:
        await made.register(await tailnet.auth_key())
        yield made


async def answer_next(client, body: bytes) -> dict[str, object]:
    """Answer the next question of the server; the question."""
    stream = await client.poll()
    async for message in stream:
        if question := message.get("PingRequest"):
            await client.transport.request("POST", question["URL"].removeprefix("https://unused"), body)
            return question
    raise AssertionError("no question came")


async def asked(client, asking, told: PingResponse | None = None, *, raw: bytes = b""):
    """What came of a ping, and the question that the client was asked, which it answers."""
    answering = asyncio.create_task(answer_next(client, tailcfg.encode(told) if told else raw))
    await asyncio.sleep(0.02)
    return await asking, await answering


async def test_a_nodes_own_answer_takes_its_time(tailnet, client):
    found, question = await asked(client, ping(tailnet.pings, 1))
    assert found.path == ""
    assert 0 < found.milliseconds < 5000
    assert "Types" not in question


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (PingResponse(Endpoint="10.0.0.1:41641"), "10.0.0.1:41641"),
        (PingResponse(PeerRelay="10.0.0.2:7777:vni:1"), "10.0.0.2:7777:vni:1"),
        (PingResponse(DERPRegionID=900, DERPRegionCode="lab"), "relay lab"),
    ],
)
async def test_a_node_tells_how_it_reaches_another(tailnet, client, told, path):
    told = tailcfg.decode(PingResponse, tailcfg.encode(told)[:-1] + b',"LatencySeconds":0.0125}')
    found, question = await asked(client, ping_from(tailnet.pings, 1, TARGET), told)
    assert (found.path, found.milliseconds) == (path, 12.5)
    assert (question["Types"], question["IP"]) == ("disco", TARGET)


async def test_a_node_that_does_not_reach_another_says_why(tailnet, client):
    with pytest.raises(NoAnswerError, match=r"does not reach 100\.64\.0\.9: no matching peer"):
        await asked(client, ping_from(tailnet.pings, 1, TARGET), PingResponse(Err="no matching peer"))


async def test_an_answer_that_is_none_is_told_as_such(tailnet, client):
    with pytest.raises(NoAnswerError, match="cannot be read"):
        await asked(client, ping_from(tailnet.pings, 1, TARGET), raw=b"pong")


async def test_a_node_that_is_not_connected_is_told_as_such(tailnet, client):
    with pytest.raises(NoAnswerError, match="desk is not connected"):
        await ping(tailnet.pings, 1)
