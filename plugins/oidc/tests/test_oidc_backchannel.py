"""The provider tells behind the browser's back that somebody has logged out: then it is asked about them at once."""

from time import time

import pytest

from hatsize.tailnet.model import User, UserStatus

pytestmark = pytest.mark.anyio

EVENTS = {"http://schemas.openid.net/event/backchannel-logout": {}}
PATH = "/oidc/work/backchannel-logout"


@pytest.fixture
async def server(pages, waiting_login):
    """A server that Ann has logged in to, and that asks about nobody by itself."""
    make = pages(refresh_minutes=0)
    await make().log_in(await waiting_login())
    return make


def status(tailnet):
    return next(user.status for user in tailnet.state.all(User) if user.name == "ann")


async def test_whose_session_ends_with_it_is_out_in_the_next_round(server, fake, tailnet):
    told = await server().post(PATH, logout_token=fake.id_token(events=EVENTS))
    assert (told.status, told.body) == (200, "")
    fake.refreshing = "revoked"
    await server.upkeep.round()
    assert status(tailnet) is UserStatus.SUSPENDED


async def test_whose_session_goes_on_stays(server, fake, tailnet):
    await server().post(PATH, logout_token=fake.id_token(events=EVENTS))
    asked = fake.count("token")
    await server.upkeep.round()
    await server.upkeep.round()
    assert fake.count("token") == asked + 1
    assert status(tailnet) is UserStatus.ACTIVE


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({}, "no logout token"),
        ({"events": []}, "no logout token"),
        ({"events": EVENTS, "nonce": "n"}, "no logout token"),
        ({"events": EVENTS, "aud": ["other"]}, "another&#39;s"),
        ({"events": EVENTS, "iss": "https://evil.example"}, "another&#39;s"),
        ({"events": EVENTS, "iat": time() - 3600}, "too old"),
        ({"events": EVENTS, "iat": time() + 3600}, "from the future"),
        ({"events": EVENTS, "iat": "now"}, "too old"),
        ({"events": EVENTS, "sub": None}, "does not say who"),
    ],
)
async def test_any_other_token_is_refused_in_words(server, fake, claims, words):
    asked = fake.count("token")
    told = await server().post(PATH, logout_token=fake.id_token(**claims))
    assert (told.status, words in told.body) == (400, True)
    await server.upkeep.round()
    assert fake.count("token") == asked


@pytest.mark.parametrize("form", [{}, {"logout_token": "x.y.z"}])
async def test_what_is_no_token_is_refused(server, form):
    assert (await server().post(PATH, **form)).status == 403
