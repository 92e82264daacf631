"""Who is online, and when somebody was last seen."""

import pytest

from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def laptop(tailnet):
    await FakeClient.direct(tailnet.app, hostname="laptop").register(await tailnet.auth_key())
    return tailnet.node("laptop").id


async def test_who_leaves_was_last_seen_then(tailnet, laptop):
    tailnet.live.came_online(laptop)
    left = tailnet.clock.advance(minutes=5)
    tailnet.live.went_offline(laptop)
    assert not tailnet.live.is_online(laptop)
    assert tailnet.node("laptop").last_seen == left


async def test_who_is_away_is_not_seen_again_by_being_said_to_be_away(tailnet, laptop):
    tailnet.live.came_online(laptop)
    tailnet.live.went_offline(laptop)
    seen, version = tailnet.node("laptop").last_seen, tailnet.state.version
    tailnet.clock.advance(minutes=5)
    tailnet.live.went_offline(laptop)
    assert (tailnet.node("laptop").last_seen, tailnet.state.version) == (seen, version)


async def test_whoever_attends_hears_of_it_once(tailnet, laptop):
    heard = []
    tailnet.live.attend(lambda node_id, online: heard.append((node_id, online)))
    for _ in range(2):
        tailnet.live.came_online(laptop)
    for _ in range(2):
        tailnet.live.went_offline(laptop)
    assert heard == [(laptop, True), (laptop, False)]
