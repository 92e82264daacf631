"""The page of an SSH session that waits: an administrator approves it, or its owner by logging in anew."""

from datetime import timedelta

import msgspec
import pytest
from quart import Quart

from hatsize.control import login_page
from hatsize.hooks import hookimpl
from hatsize.tailnet.model import Change, PendingLogin
from hatsize.wire.keys import ZERO_MACHINE_KEY, ZERO_NODE_KEY

pytestmark = pytest.mark.anyio
AUTH_ID = "hskey-authreq-" + "0" * 24


class Button:
    name = "portal"
    title = "The portal"

    def start_url(self, login):
        return "/portal/start"


class CheckButton(Button):
    name = "office"
    title = "The office's account"

    def check_url(self, login):
        return f"/office/anew?auth={login.auth_id}"


class Plugin:
    hatsize_api = "1.0"

    def __init__(self, *buttons):
        self._buttons = buttons

    @hookimpl
    def hatsize_register_login_provider(self):
        return list(self._buttons)


@pytest.fixture
async def page(tailnet):
    """The page of a session that waits, where these ways to log in are there."""
    told = {"source": "desk", "target": "db", "account": "root"}
    login = PendingLogin(
        id=1, auth_id=AUTH_ID, purpose="ssh", machine_key=ZERO_MACHINE_KEY, node_key=ZERO_NODE_KEY,
        request=msgspec.json.encode(told), created=tailnet.clock(), expires=tailnet.clock() + timedelta(minutes=5),
    )  # fmt: skip
    await tailnet.live.run(lambda _: Change(tailnet=1, kind="login.started", puts=(login,), at=tailnet.clock()))

    async def read(*buttons):
        tailnet.services.plugins.add(Plugin(*buttons), "buttons")
        app = Quart("test")
        app.register_blueprint(login_page.blueprint(tailnet.live))
        return await (await app.test_client().get(f"/register/{AUTH_ID}")).get_data(as_text=True)

    return read


async def test_the_page_says_what_waits_and_how_an_administrator_approves_it(page):
    body = await page()
    assert "root on db" in body
    assert f"hatsize auth approve --auth-id {AUTH_ID}" in body
    assert "Log in anew" not in body


async def test_only_providers_that_can_make_people_log_in_anew_are_offered(page):
    body = await page(Button(), CheckButton())
    assert f'href="/office/anew?auth={AUTH_ID}"' in body
    assert "/portal/start" not in body
    assert "Log in anew if desk is yours" in body
