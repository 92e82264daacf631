"""Nodes ask what becomes of an SSH session under a check: it waits, and once it was approved others follow."""

import asyncio
import json

import anyio
import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.logins import approve_login, reject_login
from hatsize.tailnet.model import Change, Node, PendingLogin
from hatsize.testing.tailnet import ScratchTailnet

pytestmark = pytest.mark.anyio


def policy(period):
    who = {"src": ["autogroup:member"], "dst": ["autogroup:self"]}
    return json.dumps({"ssh": [{"action": "check", **who, "users": ["root"], "checkPeriod": period}]})


class Door:
    """`desk` wants into `db`, which asks the server."""

    def __init__(self, tailnet, db):
        self.tailnet, self.db = tailnet, db

    async def ask(self, waiting_for="", account="root", source=1):
        path = f"/machine/ssh/action/{source}/to/2?local_user={account}&auth_id={waiting_for}"
        answer = await self.db.transport.request("GET", path, b"")
        return json.loads(await answer.body())

    async def knock(self):
        """Begin a session; the auth id it waits under, empty where it need not wait."""
        answer = await self.ask()
        return answer["holdAndDelegate"].rpartition("auth_id=")[2] if "holdAndDelegate" in answer else ""

    async def decide(self, auth_id, command=approve_login):
        await self.tailnet.live.run(lambda state: command(state, auth_id, self.tailnet.clock()))


@pytest.fixture
async def door(tailnet, fake_client):
    async with fake_client("desk") as desk, fake_client("db") as db:
        key = await tailnet.auth_key(reusable=True)
        await desk.register(key)
        await db.register(key)
        await tailnet.save_policy(policy("1h"))
        yield Door(tailnet, db)


async def test_a_session_waits_until_it_is_approved(door):
    auth_id = await door.knock()
    waiting = asyncio.create_task(door.ask(auth_id))
    await anyio.sleep(0.02)
    assert not waiting.done()
    await door.decide(auth_id)
    assert (await waiting)["accept"]


async def test_for_the_rules_period_further_sessions_need_no_approval(door):
    await door.decide(await door.knock())
    door.tailnet.clock.advance(minutes=59)
    assert (await door.ask())["accept"]
    door.tailnet.clock.advance(minutes=1)
    assert await door.knock()


async def test_an_approval_outlives_the_process(door):
    await door.decide(await door.knock())
    again = ScratchTailnet(storage=door.tailnet.storage)
    assert again.state.all(PendingLogin)
    door.db.transport = type(door.db.transport)(again.app, door.tailnet.state.get(Node, 2).machine_key, 113)
    assert (await door.ask())["accept"]


async def test_a_shorter_period_counts_at_once(door):
    await door.decide(await door.knock())
    door.tailnet.clock.advance(minutes=30)
    await door.tailnet.save_policy(policy("20m"))
    assert await door.knock()


async def test_where_the_rule_says_always_each_session_waits(door):
    await door.tailnet.save_policy(policy("always"))
    auth_id = await door.knock()
    await door.decide(auth_id)
    assert (await door.ask(auth_id))["accept"]
    assert await door.knock()


async def test_an_approval_is_good_for_its_own_session_for_a_while_only(door):
    auth_id = await door.knock()
    await door.decide(auth_id)
    door.tailnet.clock.advance(hours=2)
    refused = await door.ask(auth_id)
    assert refused["reject"]
    assert "begin the session again" in refused["message"]


async def test_an_approval_is_for_one_source_alone(door, fake_client):
    await door.decide(await door.knock())
    async with fake_client("laptop") as laptop:
        await laptop.register(await door.tailnet.auth_key())
        assert "holdAndDelegate" in await door.ask(source=3)


async def test_what_became_somebody_elses_waits_again(door):
    await door.decide(await door.knock())
    otto = await door.tailnet.add_user("otto")
    await door.tailnet.live.run(lambda state: given_to(otto, state, door.tailnet.clock()))
    assert await door.knock()


def given_to(user, state, now):
    nodes = tuple(replace(state.get(Node, number), user_id=user.id) for number in (1, 2))
    return Change(tailnet=1, kind="node.updated", puts=nodes, at=now)


async def test_only_the_target_itself_may_ask(door):
    answer = await door.db.transport.request("GET", "/machine/ssh/action/2/to/1?local_user=root", b"")
    assert answer.status == 403


async def test_a_rejected_session_ends_with_the_reason(door):
    auth_id = await door.knock()
    await door.decide(auth_id, reject_login)
    assert (await door.ask(auth_id)) == {"message": "rejected by an administrator", "reject": True}


async def test_what_the_policy_does_not_allow_does_not_wait(door):
    assert (await door.ask(account="postgres"))["reject"]
