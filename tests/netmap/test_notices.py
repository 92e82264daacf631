"""What clients are told of updates, of messages, and of ways to dial the server, and when."""

from dataclasses import replace as changed

import pytest

from hatsize.netmap.notices import Notices, version
from hatsize.tailnet.commands.messages import delete_message, put_message
from hatsize.tailnet.messages import Message
from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio
MESSAGE = Message(title="Repairs", text="Tonight at ten.", severity="low")
NOTICED = ("ClientVersion", "ControlDialPlan", "DisplayMessages", "Health")


class Told:
    """One client, and what it is told of notices."""

    def __init__(self, tailnet, client, stream):
        self.tailnet, self.client, self.stream = tailnet, client, stream

    async def next(self):
        """The notices of the next message that has any."""
        async for message in self.stream:
            if found := {name: message[name] for name in NOTICED if name in message}:
                return found
        raise AssertionError("the stream has ended")

    async def go_by(self, **notices):
        live = self.tailnet.live
        live.go_by(changed(live.terms, notices=Notices(**notices)))
        return await self.next()

    async def run(self, command, *arguments):
        await self.tailnet.live.run(lambda state: command(state, *arguments, self.tailnet.clock()))


@pytest.fixture
async def connect(tailnet):
    clients = []

    async def connected(cap_version=142):
        client = FakeClient.direct(tailnet.app, hostname="desk", cap_version=cap_version)
        clients.append(client)
        await client.register(await tailnet.auth_key())
        return Told(tailnet, client, await client.poll())

    yield connected
    for client in clients:
        await client.transport.close()


async def test_with_nothing_to_tell_nothing_is_told(connect):
    told = await connect()
    async for message in told.stream:
        assert not set(NOTICED) & message.keys()
        break


@pytest.mark.parametrize(
    ("notices", "expected"),
    [
        ({"latest_version": "1.102.5"}, {"LatestVersion": "1.102.5", "Notify": True}),
        ({"latest_version": "1.80.0"}, {"RunningLatest": True}),
        ({"latest_version": "1.78"}, {"RunningLatest": True}),
        (
            {"latest_version": "1.102.5", "urgent_below": "1.80.1"},
            {"LatestVersion": "1.102.5", "Notify": True, "UrgentSecurityUpdate": True},
        ),
    ],
)
async def test_a_client_is_told_whether_there_is_an_update(connect, notices, expected):
    told = await connect()
    assert await told.go_by(**notices) == {"ClientVersion": expected}


async def test_when_nobody_says_anything_of_versions_any_more_the_client_is_up_to_date(connect):
    told = await connect()
    await told.go_by(latest_version="1.102.5")
    assert await told.go_by() == {"ClientVersion": {"RunningLatest": True}}


async def test_addresses_are_dialled_the_best_first(connect):
    told = await connect()
    plan = (await told.go_by(addresses=("203.0.113.1", "203.0.113.2")))["ControlDialPlan"]
    first, second = plan["Candidates"]
    assert (first["IP"], first["Priority"], first["DialTimeoutSec"]) == ("203.0.113.1", 2, 10.0)
    assert (second["IP"], second["Priority"], second["DialStartDelaySec"]) == ("203.0.113.2", 1, 1.0)
    assert await told.go_by() == {"ControlDialPlan": {"Candidates": []}}


async def test_a_message_comes_changes_and_goes(connect):
    told = await connect()
    await told.run(put_message, "repairs", MESSAGE)
    shown = {"Title": "Repairs", "Text": "Tonight at ten.", "Severity": "low"}
    assert await told.next() == {"DisplayMessages": {"repairs": shown}}
    button = Message(title="Repairs", text="Done.", url="https://example.com", label="Read on")
    await told.run(put_message, "repairs", button)
    assert (await told.next())["DisplayMessages"]["repairs"] == {
        "Title": "Repairs",
        "Text": "Done.",
        "Severity": "medium",
        "PrimaryAction": {"URL": "https://example.com", "Label": "Read on"},
    }
    await told.run(delete_message, "repairs")
    assert await told.next() == {"DisplayMessages": {"repairs": None}}


async def test_a_client_that_knows_no_messages_is_told_lines_of_text(connect):
    told = await connect(cap_version=116)
    await told.run(put_message, "repairs", MESSAGE)
    assert await told.next() == {"Health": ["Repairs: Tonight at ten."]}
    await told.run(delete_message, "repairs")
    assert await told.next() == {"Health": []}


async def test_a_message_for_another_node_is_not_told(connect):
    told = await connect()
    other = FakeClient.direct(told.tailnet.app, hostname="other")
    await other.register(await told.tailnet.auth_key())
    await told.run(put_message, "a", changed_to(MESSAGE, nodes=(2,)))
    await told.run(put_message, "b", changed_to(MESSAGE, nodes=(1, 2)))
    assert (await told.next())["DisplayMessages"].keys() == {"b"}
    await other.transport.close()


async def test_who_comes_back_is_told_what_is_shown(connect):
    told = await connect()
    await told.run(put_message, "repairs", MESSAGE)
    again = Told(told.tailnet, told.client, await told.client.poll())
    assert (await again.next())["DisplayMessages"].keys() == {"repairs"}


def changed_to(message, **fields):
    return Message(**{"title": message.title, "text": message.text, **fields})


@pytest.mark.parametrize(
    ("text", "numbers"), [("1.80.3-t1234-g5", (1, 80, 3)), ("1.102", (1, 102)), ("", ()), ("odd", ())]
)
def test_versions_compare_by_their_numbers(text, numbers):
    assert version(text) == numbers
