"""People log in with a certified OpenID provider in a real browser, and lose access when it says so."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.lab import browser as browsers
from tests.clients.lab import openid, requirements
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.browser import Browser
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.login_page import choose, confirm, confirm_session
from tests.clients.lab.openid import CLIENT_ID, SECRET, OpenIDProvider
from tests.clients.lab.server import Hatsize
from tests.clients.test_ssh import SSH_DEADLINE, Session

PORT, AHEAD_PORT, BEHIND_PORT = 9443, 9444, 9445
HOURS = 3600
REFRESH = 0.05
"""Minutes between two questions about people who have logged in; the plugin looks every five seconds."""
FOLLOWED_WITHIN = 30.0

SECTION = """
[[plugins.oidc.providers]]
name = "{name}"
issuer = "{issuer}"
client_id = "{client}"
client_secret = "{secret}"
ca_file = "{ca}"
scopes = ["openid", "profile", "email", "groups", "offline_access"]
groups_claim = "groups"
group_domain = "example.com"
allowed_groups = {allowed}
refresh_minutes = {refresh}
logout_return = true
"""


POLICY = {
    "tagOwners": {"tag:server": []},
    "grants": [{"src": ["group:ops@example.com"], "dst": ["tag:server"], "ip": ["*"]}],
    "ssh": [{"action": "check", "src": ["ann@example.com"], "dst": ["tag:server"], "users": ["root"]}],
}


class WithProviders(Hatsize):
    """A server with a provider people log in with, and some that are not as they should be."""

    def prepare(self) -> None:
        self.work = self.provider(PORT)
        ahead, behind = self.provider(AHEAD_PORT, skew=2 * HOURS), self.provider(BEHIND_PORT, skew=-2 * HOURS)
        self.work.person("ann", "staff", "ops")
        for provider in (self.work, ahead, behind):
            provider.person("bob", "staff")
        sections = [
            self.section("work", self.work),
            self.section("tokyo", ahead),
            self.section("lima", behind),
            self.section("partners", self.work, issuer=f"{self.work.issuer}/"),
            self.section("guests", self.work, issuer=f"https://{self.hub.address}:1"),
        ]
        config = '[plugins]\nenabled = ["oidc"]\n' + "".join(sections)
        (self.data.parent / "hatsize.toml").write_text(config)

    def provider(self, port: int, *, skew: int = 0) -> OpenIDProvider:
        callbacks = [f"{self.url}/oidc/{name}/callback" for name in ("work", "tokyo", "lima")]
        return OpenIDProvider(self.hub, port, callbacks, skew=skew)

    def section(self, name: str, provider: OpenIDProvider, issuer: str = "") -> str:
        return SECTION.format(
            name=name, issuer=issuer or provider.issuer, client=CLIENT_ID, secret=SECRET,
            ca=provider.certificate.certificate, allowed='["staff"]', refresh=REFRESH,
        )  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_CONFIG": str(self.data.parent / "hatsize.toml")}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if lacks := [*openid.missing(), *browsers.missing()]:
        reason = f"logins with OpenID Connect need {', '.join(lacks)}"
        pytest.fail(reason) if requirements.required() else pytest.skip(reason)
    with laboratory(WithProviders) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def work(lab: Lab) -> OpenIDProvider:
    """The provider people log in with."""
    assert isinstance(lab.server, WithProviders)
    return lab.server.work


@pytest.fixture(scope="module")
def browser(lab: Lab) -> Browser:
    """Everybody's, on a machine of its own."""
    return Browser(lab.network.machine("desk"))


@pytest.fixture(scope="module")
def laptop(lab: Lab, browser: Browser, work: OpenIDProvider) -> Client:
    """Ann's machine: she has logged in for it at the provider."""
    lab.server.set_policy(POLICY)
    server = lab.client("server")
    server.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:server"), "--ssh")
    laptop = lab.client("laptop")
    url = laptop.begin_web_login(lab.server.url)
    browser.open(url)
    browser.wait_text("Add a machine")
    picture(browser, "login")
    choose(browser, url, "work")
    sign_in(browser, "ann")
    browser.wait_text("Is this your machine?")
    picture(browser, "confirm")
    confirm(browser, laptop)
    return laptop


def sign_in(browser: Browser, who: str) -> None:
    """Log in on the provider's pages, and let it tell who one is."""
    fill_in(browser, who)
    browser.wait_text("Authorize")
    browser.click("button[type=submit]")


def fill_in(browser: Browser, who: str) -> None:
    browser.type("input[name=login]", who)
    browser.type("input[name=password]", "anything")
    browser.click("button[type=submit]")


def picture(browser: Browser, name: str) -> None:
    """Keep what the page looks like, for the plugin's README, where HATSIZE_SCREENSHOTS names a folder."""
    if folder := os.environ.get("HATSIZE_SCREENSHOTS"):
        browser.screenshot(Path(folder) / f"{name}.png")


def forget(browser: Browser, provider: OpenIDProvider) -> None:
    """Another person sits down at the browser: its cookies for the provider's host are gone."""
    browser.open(f"{provider.issuer}/.well-known/openid-configuration")
    browser.forget_cookies()


def log_in_again(browser: Browser, client: Client, url: str) -> None:
    """A machine whose key has expired is added anew; the provider remembers the browser."""
    choose(browser, client.begin_web_login(url, "--force-reauth"), "work")
    confirm(browser, client)


def status_of(lab: Lab, name: str) -> str:
    """What the log says last of a user who was shut out."""
    return next(
        (line for line in reversed(lab.server.log.read_text().splitlines()) if f"user {name} is shut" in line), ""
    )


# --- the way in


def test_who_logs_in_is_the_machines_user_with_their_groups(lab: Lab, laptop: Client, work: OpenIDProvider) -> None:
    user = lab.server.node("laptop")["user"]
    assert (user["name"], user["email"], user["displayName"]) == ("ann", "ann@example.com", "Ann")
    laptop.wait_peer("server")  # which the policy shows to a group of hers alone


def test_the_oldest_client_is_let_in_by_a_browser_the_provider_knows(
    lab: Lab, laptop: Client, browser: Browser
) -> None:
    phone = lab.client("phone", OLDEST)
    choose(browser, phone.begin_web_login(lab.server.url), "work")
    confirm(browser, phone)
    assert lab.server.node("phone")["user"]["id"] == lab.server.node("laptop")["user"]["id"]


# --- what goes wrong, in words on the page and in the log


@pytest.fixture(scope="module")
def guest_url(lab: Lab) -> str:
    """The page of a login that nobody completes."""
    return lab.client("guest").begin_web_login(lab.server.url)


@pytest.mark.parametrize(
    ("name", "words"),
    [("partners", "Wrong issuer: the settings say https://"), ("guests", "Guests cannot be reached at https://")],
)
def test_a_provider_that_cannot_be_used_is_said(
    lab: Lab, browser: Browser, guest_url: str, name: str, words: str
) -> None:
    choose(browser, guest_url, name)
    browser.wait_text(words)
    assert words[1:] in lab.server.log.read_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [("tokyo", "Clock skew: the ID token is from"), ("lima", "The ID token expired")],
)
def test_a_provider_whose_clock_is_hours_away_is_said(
    lab: Lab, browser: Browser, guest_url: str, name: str, words: str
) -> None:
    choose(browser, guest_url, name)
    sign_in(browser, "bob")
    browser.wait_text(words)
    assert words[1:] in lab.server.log.read_text()


def test_who_declines_at_the_provider_is_not_logged_in(browser: Browser, guest_url: str, work: OpenIDProvider) -> None:
    forget(browser, work)
    choose(browser, guest_url, "work")
    browser.click('a[href$="/abort"]')
    browser.wait_text("The login was declined at work")


@pytest.mark.parametrize(
    ("who", "account", "words"),
    [
        ("carol", {"email_verified": False}, "Work has not verified the e-mail address carol@example.com"),
        ("dave", {"groups": ["visitors"]}, "This account is in no group of work that may log in here"),
    ],
)
def test_who_may_not_log_in_is_told_why(
    browser: Browser, guest_url: str, work: OpenIDProvider, who: str, account: dict[str, object], words: str
) -> None:
    work.person(who, "staff", **account)
    forget(browser, work)
    choose(browser, guest_url, "work")
    sign_in(browser, who)
    browser.wait_text(words)


def test_a_page_that_comes_a_second_time_is_refused(browser: Browser, guest_url: str, work: OpenIDProvider) -> None:
    work.person("erin", "staff")
    forget(browser, work)
    choose(browser, guest_url, "work")
    sign_in(browser, "erin")
    browser.wait_text("Is this your machine?")
    browser.reload()
    browser.wait_text("This login was begun in another browser")


# --- afterwards


def test_a_session_under_check_goes_on_after_a_fresh_login(
    lab: Lab, laptop: Client, browser: Browser, guest_url: str, work: OpenIDProvider
) -> None:
    forget(browser, work)
    choose(browser, guest_url, "work")
    sign_in(browser, "ann")
    browser.wait_text("Is this your machine?")
    server = next(client for client in lab.clients if client.name == "server")
    laptop.reach("server")
    session = Session({"laptop": laptop, NEWEST: server}, NEWEST, "echo welcome")
    browser.open(session.check_url())
    browser.wait_text("root on server")
    choose(browser, browser.url(), "work")
    fill_in(browser, "ann")  # though the provider knows the browser
    confirm_session(browser)
    laptop.eventually(lambda: "welcome" in session.said(), "the session goes on", within=SSH_DEADLINE)


def test_who_leaves_a_group_loses_what_it_may_reach(lab: Lab, laptop: Client, work: OpenIDProvider) -> None:
    work.person("ann", "staff")
    laptop.wait_no_peer("server", within=FOLLOWED_WITHIN)
    assert laptop.state() == "Running"
    work.person("ann", "staff", "ops")
    laptop.wait_peer("server", within=FOLLOWED_WITHIN)


def test_while_the_provider_is_away_nothing_happens(lab: Lab, laptop: Client, work: OpenIDProvider) -> None:
    work.stop()
    said = "nothing new about users of work: work cannot be reached"
    laptop.eventually(lambda: said in lab.server.log.read_text(), "the log says so", within=FOLLOWED_WITHIN)
    assert laptop.state() == "Running"
    work.start()  # which has forgotten every session


def test_whose_session_the_provider_has_ended_logs_in_again(
    lab: Lab, laptop: Client, browser: Browser, work: OpenIDProvider
) -> None:
    laptop.wait_state("NeedsLogin", within=FOLLOWED_WITHIN)
    assert "work has ended the session" in status_of(lab, "ann")
    url = laptop.begin_web_login(lab.server.url, "--force-reauth")
    choose(browser, url, "work")
    sign_in(browser, "ann")
    confirm(browser, laptop)


def test_who_leaves_the_company_is_out_also_after_a_restart_of_the_server(
    lab: Lab, laptop: Client, work: OpenIDProvider
) -> None:
    lab.server.stop()
    lab.server.start()
    laptop.wait_peer("server", within=FOLLOWED_WITHIN)
    work.person("ann", "visitors")
    laptop.wait_state("NeedsLogin", within=FOLLOWED_WITHIN)
    assert "in no group of work that may log in here" in status_of(lab, "ann")


def test_who_logs_out_at_the_provider_is_out_at_once(
    lab: Lab, laptop: Client, browser: Browser, work: OpenIDProvider
) -> None:
    work.person("ann", "staff", "ops")
    log_in_again(browser, laptop, lab.server.url)
    browser.click('a[href*="/logout"]')
    browser.wait_text("Do you want to sign-out")
    browser.click("button[name=logout]")
    browser.wait_text("You are logged out at work")
    laptop.wait_state("NeedsLogin", within=FOLLOWED_WITHIN)
    assert "told of the logout of ann" in work.log()
