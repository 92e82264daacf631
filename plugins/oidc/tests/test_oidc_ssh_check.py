"""An SSH session that a policy holds for a check goes on when its owner logs in anew."""

from datetime import timedelta
from time import time
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from hatsize.tailnet.model import Change, LoginState, Node, PendingLogin

pytestmark = pytest.mark.anyio
AUTH_ID = "hskey-authreq-" + "1" * 24


@pytest.fixture
async def session(browser, waiting_login, tailnet):
    """Ann's browser, at the provider's page for a session from her machine."""
    await browser.log_in(await waiting_login("desk"))
    [node] = tailnet.state.all(Node)
    told = {"source": "desk", "target": "db", "account": "root", "target_id": 7}
    login = PendingLogin(
        id=tailnet.state.next_id(PendingLogin), auth_id=AUTH_ID, purpose="ssh", machine_key=node.machine_key,
        node_key=node.node_key, node_id=node.id, created=tailnet.clock(),
        expires=tailnet.clock() + timedelta(minutes=5), request=msgspec.json.encode(told),
    )  # fmt: skip
    await tailnet.live.run(lambda _: Change(tailnet=1, kind="login.started", puts=(login,), at=tailnet.clock()))
    return await browser.start(AUTH_ID)


def state(tailnet):
    return next(login.state for login in tailnet.state.all(PendingLogin) if login.auth_id == AUTH_ID)


async def test_it_goes_on_after_a_login_that_is_fresh(session, fake, tailnet):
    query = parse_qs(urlsplit(session.location).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    fake.id_token_claims = {"auth_time": int(time())}
    await session.come_back()
    for told in ("Is this your session?", "SSH session from", "desk", "root on db"):
        assert told in session.body
    assert state(tailnet) is LoginState.PENDING
    await session.confirm()
    assert "The session goes on" in session.body
    assert state(tailnet) is LoginState.APPROVED


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({}, "does not say when you logged in"),
        ({"auth_time": True}, "does not say when you logged in"),
        ({"auth_time": 1}, "let you through without a new login"),
        ({"auth_time": int(time()) - 3600}, "let you through without a new login"),
    ],
)
async def test_a_login_that_may_be_an_old_one_is_not_enough(session, fake, tailnet, claims, words):
    fake.id_token_claims = claims
    await session.come_back()
    assert words in session.body
    assert state(tailnet) is LoginState.PENDING


async def test_it_does_not_go_on_for_somebody_else(session, fake, tailnet):
    fake.person = {"sub": "bob-1", "preferred_username": "bob"}
    fake.id_token_claims = {"auth_time": int(time())}
    await session.come_back()
    await session.confirm()
    assert "is ann@example.com&#39;s machine: log in as its owner" in session.body
    assert state(tailnet) is LoginState.PENDING
