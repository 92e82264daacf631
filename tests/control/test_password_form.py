"""Logging in with a name and a password on the page of a pending login, as a browser does it."""

import logging
import re
from datetime import timedelta

import anyio
import pytest
from quart import Quart

from hatsize.control import login_page, password_form, passwords
from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Deny, LoginIdentity, UnavailableError
from hatsize.hooks.calls import SERVICE_DEADLINES
from hatsize.tailnet.model import Change, Identity, LoginState, Node, PendingLogin, User, UserStatus
from hatsize.testing.web import plugin_server

pytestmark = pytest.mark.anyio


class Directory:
    """A provider that knows names and passwords, and notes what it is asked."""

    hatsize_api = "1.0"

    def __init__(self, name="office", **known):
        self.name, self.title, self.known = name, f"The {name}'s account", known
        self.asked = []
        self.answer = None

    @hookimpl
    def hatsize_register_password_provider(self):
        return self

    async def check(self, username, password, remote):
        self.asked.append((username, password, remote))
        if self.answer is not None:
            return await self.answer()
        if self.known.get(username) != password:
            return None
        return LoginIdentity(Identity(self.name, username), name=username, groups=("group:staff@example.com",))


class Browser:
    """Keeps cookies and fills in forms."""

    def __init__(self, app, path):
        self._client, self._path = app.test_client(), path
        self.token = ""

    async def open(self):
        return self._read(await self._client.get(self._path))

    async def log_in(self, username, password, *, headers=None, scope_base=None, **fields):
        form = {"token": self.token, "username": username, "password": password, **fields}
        answer = await self._client.post(self._path, form=form, headers=headers, scope_base=scope_base)
        return self._read(answer, await answer.get_data(as_text=True))

    def forget(self):
        self._client.cookie_jar.clear()

    def _read(self, answer, body=""):
        answer.text = body
        if found := re.search(r'name="token" value="([0-9a-f]+)"', body):
            self.token = found[1]
        return answer


class Desk:
    """A client that waits for its login, and the page it is sent to."""

    def __init__(self, tailnet, app, auth_id):
        self.tailnet, self.app, self.auth_id = tailnet, app, auth_id
        self.path = f"/register/{auth_id}"
        self.browser = Browser(app, self.path)

    async def open(self):
        answer = await self.browser.open()
        return self.browser._read(answer, await answer.get_data(as_text=True))

    @property
    def login(self):
        return next(login for login in self.tailnet.state.all(PendingLogin) if login.auth_id == self.auth_id)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(passwords, "STEP", 0.01)


@pytest.fixture
def office():
    return Directory(ann="sesame")


@pytest.fixture
def page(tailnet, fake_client, office):
    """Makes a client that waits, with these providers."""

    async def make(*providers):
        plugins = tailnet.services.plugins
        for provider in providers or (office,):
            plugins.add(provider, provider.name)
        view = plugin_server(tailnet)
        app = Quart("hatsize.control")
        app.register_blueprint(login_page.blueprint(tailnet.live))
        app.register_blueprint(password_form.blueprint(tailnet.live, view))
        async with fake_client("desk") as client:
            answer = await client.register()
        desk = Desk(tailnet, app, answer.AuthURL.rpartition("/")[2])
        await desk.open()
        return desk

    return make


# What the page shows.


async def test_the_page_has_a_form_that_names_the_machine_and_the_accounts(page):
    answer = await (await page()).open()
    assert "Log in and add desk" in answer.text
    assert "The office&#39;s account" in answer.text
    assert 'autocomplete="username"' in answer.text
    assert 'autocomplete="current-password"' in answer.text


async def test_without_a_provider_there_is_neither_form_nor_cookie(tailnet, page):
    desk = await page()
    tailnet.services.plugins._services["password_provider"] = []
    answer = await desk.open()
    assert "<form" not in answer.text
    assert "Set-Cookie" not in answer.headers


async def test_the_page_is_kept_by_nobody_and_runs_nothing(page):
    answer = await (await page()).open()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


class Button:
    """A way to log in elsewhere."""

    def __init__(self, name, url):
        self.name, self.title, self.url = name, f"Log in with {name}", url

    @hookimpl
    def hatsize_register_login_provider(self):
        return self

    def start_url(self, login):
        return self.url.format(login.auth_id)


async def test_buttons_of_several_providers_stand_beside_the_form(office, page):
    desk = await page(Button("work", "/oidc/work?auth={}"), Button("guest", "/oidc/guest?auth={}"), office)
    text = (await desk.open()).text
    for name in ("work", "guest"):
        assert f'href="/oidc/{name}?auth={desk.auth_id}">Log in with {name}</a>' in text
    assert text.index("work") < text.index("guest") < text.index("<form")


async def test_a_provider_that_fails_has_no_button_and_the_others_have(tailnet, office, page):
    desk = await page(Button("broken", "{no such thing}"), Button("work", "/oidc/work?auth={}"), office)
    text = (await desk.open()).text
    assert "broken" not in text
    assert "Log in with work" in text
    assert tailnet.services.plugins.ledger.errors == {("broken", "LoginProvider.start_url"): 2}


# Getting in.


async def test_the_right_password_makes_the_machine_a_node_of_a_user(tailnet, page):
    desk = await page()
    answer = await desk.browser.log_in("ann", "sesame")
    assert (answer.status_code, answer.headers["Location"]) == (303, desk.path)
    node = tailnet.node("desk")
    user = tailnet.state.get(User, node.user_id)
    assert (user.name, user.groups) == ("ann", ("group:staff@example.com",))
    assert node.register_method == "office"
    assert "This machine is in" in (await desk.open()).text


async def test_spaces_around_the_name_are_nothing(office, page):
    desk = await page()
    assert (await desk.browser.log_in(" ann ", "sesame")).status_code == 303
    assert office.asked[0][0] == "ann"


async def test_several_providers_are_asked_in_their_order(tailnet, page):
    first, second = Directory("first", ann="one"), Directory("second", ann="two")
    desk = await page(first, second)
    assert (await desk.browser.log_in("ann", "two")).status_code == 303
    assert len(first.asked) == len(second.asked) == 1
    assert tailnet.node("desk").register_method == "second"


async def test_the_provider_is_told_the_browsers_address(office, page):
    desk = await page()
    await desk.browser.log_in("ann", "sesame", scope_base={"client": ("203.0.113.7", 999)})
    assert office.asked == [("ann", "sesame", "203.0.113.7")]


async def test_a_decided_login_takes_no_password_any_more(office, page):
    desk = await page()
    await desk.browser.log_in("ann", "sesame")
    assert (await desk.browser.log_in("ann", "sesame")).status_code == 303
    assert len(office.asked) == 1


# Not getting in, in words.


@pytest.mark.parametrize(("username", "password"), [("ann", "hunter2"), ("nobody", "hunter2"), ("ann", ""), ("", "")])
async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(tailnet, page, username, password):
    desk = await page()
    answer = await desk.browser.log_in(username, password)
    assert answer.status_code == 403
    assert password_form.WRONG in answer.text
    assert f'value="{username}"' in answer.text
    assert password == "" or password not in answer.text
    assert desk.login.state is LoginState.PENDING
    assert not list(tailnet.state.all(Node))


async def test_no_provider_is_asked_about_an_empty_password(office, page):
    await (await page()).browser.log_in("ann", "")
    assert office.asked == []


async def test_a_no_takes_a_whole_number_of_steps(monkeypatch, office, page):
    monkeypatch.setattr(passwords, "STEP", 0.2)
    desk = await page()
    before = anyio.current_time()
    await desk.browser.log_in("ann", "wrong")
    assert anyio.current_time() - before >= 0.2


async def test_what_is_typed_is_shown_as_text(page):
    answer = await (await page()).browser.log_in('"><script>', "wrong")
    assert "<script>" not in answer.text


async def test_a_provider_may_say_why_somebody_may_not_log_in(office, page):
    async def deny():
        return Deny("Your account is not in a group that may join.")

    office.answer = deny
    answer = await (await page()).browser.log_in("ann", "sesame")
    assert answer.status_code == 403
    assert "not in a group that may join" in answer.text


async def test_a_suspended_user_is_told_so(tailnet, page):
    desk = await page()
    user = User(
        id=7, name="ann", identities=(Identity("office", "ann"),), status=UserStatus.SUSPENDED, created=tailnet.clock()
    )
    await tailnet.live.run(lambda state: Change(tailnet=1, kind="user.created", puts=(user,), at=tailnet.clock()))
    answer = await desk.browser.log_in("ann", "sesame")
    assert answer.status_code == 403
    assert "suspended" in answer.text


async def test_a_provider_that_cannot_be_asked_is_not_a_wrong_password(caplog, office, page):
    async def down():
        raise UnavailableError("ldap://192.0.2.1 does not answer")

    office.answer = down
    answer = await (await page()).browser.log_in("ann", "sesame")
    assert answer.status_code == 503
    assert password_form.UNANSWERED in answer.text
    assert "192.0.2.1" not in answer.text
    assert "does not answer" in caplog.text


@pytest.mark.parametrize("answer", [RuntimeError("broken"), True])
async def test_a_broken_provider_lets_nobody_in_and_is_counted(tailnet, office, page, answer):
    async def broken():
        if isinstance(answer, Exception):
            raise answer
        return answer

    office.answer = broken
    assert (await (await page()).browser.log_in("ann", "sesame")).status_code == 503
    assert tailnet.services.plugins.ledger.calls["office", passwords.METHOD] == 1


async def test_a_slow_provider_is_cut_off_and_the_next_one_asked(monkeypatch, tailnet, office, page):
    monkeypatch.setitem(SERVICE_DEADLINES, passwords.METHOD, 0.05)
    office.answer = anyio.sleep_forever
    desk = await page(office, Directory("second", ann="two"))
    assert (await desk.browser.log_in("ann", "two")).status_code == 303
    assert tailnet.services.plugins.ledger.deadlines["office", passwords.METHOD] == 1


async def test_a_login_that_is_over_is_said_to_be(tailnet, office, page):
    desk = await page()
    tailnet.clock.advance(hours=1)
    answer = await desk.browser.log_in("ann", "sesame")
    assert answer.status_code == 404
    assert office.asked == []


# An SSH session that waits.


@pytest.fixture
async def session(tailnet, page):
    """Makes a session wait that comes from a machine of Ann's, and opens its page."""

    async def make():
        machine = await page()
        await machine.browser.log_in("ann", "sesame")
        check = PendingLogin(
            id=99,
            auth_id="hskey-authreq-0123456789abcdef01234567",
            purpose="ssh",
            machine_key=machine.login.machine_key,
            node_key=machine.login.node_key,
            request=b'{"source":"desk","target":"server","account":"root"}',
            node_id=tailnet.node("desk").id,
            created=tailnet.clock(),
            expires=tailnet.clock() + timedelta(minutes=5),
        )
        await tailnet.live.run(lambda _: Change(tailnet=1, kind="login.started", puts=(check,), at=tailnet.clock()))
        desk = Desk(tailnet, machine.app, check.auth_id)
        assert "Log in and let it go on" in (await desk.open()).text
        return desk

    return make


async def test_the_owner_of_the_source_lets_an_ssh_session_go_on(session):
    desk = await session()
    assert (await desk.browser.log_in("ann", "sesame")).status_code == 303
    assert desk.login.state is LoginState.APPROVED
    assert "This session was approved" in (await desk.open()).text


async def test_nobody_else_does(session, office):
    office.known["bob"] = "hush"
    desk = await session()
    for name, password, words in [("bob", "hush", "log in as its owner"), ("ann", "wrong", password_form.WRONG)]:
        answer = await desk.browser.log_in(name, password)
        assert answer.status_code == 403
        assert words in answer.text
    assert desk.login.state is LoginState.PENDING


# Too often.


async def test_after_some_failures_there_is_a_wait(tailnet, office, page):
    desk = await page()
    for _ in range(5):
        assert (await desk.browser.log_in("ann", "wrong")).status_code == 403
    answer = await desk.browser.log_in("ann", "sesame")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "Try again in 1 second." in answer.text
    assert len(office.asked) == 5
    tailnet.clock.advance(seconds=1)
    assert (await desk.browser.log_in("ann", "sesame")).status_code == 303


async def test_minutes_are_spoken_of_as_minutes():
    assert password_form._too_often(299.5, "ann").words == "Too many attempts. Try again in 5 minutes."


# Forms that are not ours.


async def test_a_form_without_the_pages_token_is_refused(office, page):
    desk = await page()
    answer = await desk.browser.log_in("ann", "sesame", token="0" * 64)
    assert answer.status_code == 400
    assert password_form.STALE in answer.text
    assert office.asked == []


async def test_a_token_is_worth_nothing_in_another_browser(office, page):
    desk = await page()
    desk.browser.forget()
    assert (await desk.browser.log_in("ann", "sesame")).status_code == 400
    assert office.asked == []
    assert (await desk.browser.log_in("ann", "sesame")).status_code == 303, "the refusal gave it a cookie and a token"


async def test_another_sites_form_is_refused_even_with_a_token(office, page):
    desk = await page()
    answer = await desk.browser.log_in("ann", "sesame", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400
    assert office.asked == []


async def test_the_cookie_is_for_this_site_alone(page):
    desk = await page()
    desk.browser.forget()
    cookie = (await desk.open()).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


async def test_over_tls_it_is_for_this_very_host(page):
    desk = await page()
    answer = await desk.browser._client.get(desk.path, scheme="https")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie.split("; ")
    assert "Domain" not in cookie


@pytest.mark.parametrize(("username", "password"), [("ann", "x" * 1025), ("x" * 257, "sesame")])
async def test_what_is_too_long_is_not_asked_about(office, page, username, password):
    answer = await (await page()).browser.log_in(username, password)
    assert answer.status_code == 400
    assert password_form.TOO_LONG in answer.text
    assert office.asked == []


# Logs.


async def test_neither_passwords_nor_what_may_be_one_are_logged(caplog, page):
    desk = await page()
    with caplog.at_level(logging.DEBUG):
        await desk.browser.log_in("hunter2-as-name", "hunter3")
        await desk.browser.log_in("ann", "sesame")
    assert "hunter" not in caplog.text
    assert "sesame" not in caplog.text
    assert "ann logged in from" in caplog.text
