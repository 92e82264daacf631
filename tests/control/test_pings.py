"""Questions on the map stream, and their answers in the tunnel."""

import asyncio

import pytest

from hatsize.control.pings import NoAnswerError
from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio


async def connected(tailnet, name="one"):
    """A client with its stream open, and its node's id."""
    client = FakeClient.direct(tailnet.app, hostname=name)
    await client.register(await tailnet.auth_key())
    stream = await client.poll()
    await stream.until(lambda netmap: netmap.own)
    return client, stream, tailnet.node(name).id


async def question(stream):
    """The next question on a stream."""
    async for message in stream:
        if message.get("PingRequest"):
            return message["PingRequest"]
    raise AssertionError("no question came")


def path_of(ping):
    return ping["URL"].removeprefix("https://unused")


async def answer(client, ping, body=b"", method="POST"):
    reply = await client.transport.request(method, path_of(ping), body)
    return reply.status


async def test_a_question_is_answered(tailnet):
    client, stream, node_id = await connected(tailnet)
    asking = asyncio.create_task(tailnet.pings.ask(node_id, within=5, types="c2n", payload=b"hello"))
    asked = await question(stream)
    assert asked["URLIsNoise"]
    assert (asked["Types"], asked["Payload"]) == ("c2n", "aGVsbG8=")
    assert await answer(client, asked, b"world") == 200
    assert await asking == b"world"
    await client.transport.close()


async def test_a_plain_ping_is_answered_with_nothing(tailnet):
    client, stream, node_id = await connected(tailnet)
    asking = asyncio.create_task(tailnet.pings.is_alive(node_id, 5))
    asked = await question(stream)
    assert asked.keys() == {"URL", "URLIsNoise"}
    assert await answer(client, asked, method="HEAD") == 200
    assert await asking
    await client.transport.close()


async def test_questions_have_different_urls_for_clients_ignore_repetitions(tailnet):
    client, stream, node_id = await connected(tailnet)
    asking = [asyncio.create_task(tailnet.pings.is_alive(node_id, 0.2)) for _ in range(2)]
    assert (await question(stream))["URL"] != (await question(stream))["URL"]
    assert await asyncio.gather(*asking) == [False, False]
    await client.transport.close()


async def test_silence_has_an_end_and_a_late_answer_is_nobodys(tailnet):
    client, stream, node_id = await connected(tailnet)
    with pytest.raises(NoAnswerError, match=r"one did not answer within 0\.05 seconds"):
        await tailnet.pings.ask(node_id, within=0.05)
    assert await answer(client, await question(stream)) == 404
    await client.transport.close()


async def test_another_machines_answer_does_not_count(tailnet):
    client, stream, node_id = await connected(tailnet)
    other = FakeClient.direct(tailnet.app, hostname="other")
    asking = asyncio.create_task(tailnet.pings.is_alive(node_id, 0.3))
    assert await answer(other, await question(stream)) == 404
    assert not await asking
    await client.transport.close()


async def test_who_is_not_connected_is_not_waited_for(tailnet):
    client = FakeClient.direct(tailnet.app, hostname="one")
    await client.register(await tailnet.auth_key())
    with pytest.raises(NoAnswerError, match="one is not connected"):
        await tailnet.pings.ask(tailnet.node("one").id, within=60)
    with pytest.raises(NoAnswerError, match="there is no node 77"):
        await tailnet.pings.ask(77, within=60)
