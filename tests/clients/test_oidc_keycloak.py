"""People log in with Keycloak, set up as the page on providers says, and lose access when Keycloak says so."""

import time
from collections.abc import Iterator, Mapping

import pytest

from tests.clients.lab import browser as browsers
from tests.clients.lab import keycloak
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.browser import Browser
from tests.clients.lab.client import Client
from tests.clients.lab.keycloak import CLIENT_ID, PASSWORD, SECRET, Keycloak
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.login_page import choose, confirm, confirm_session
from tests.clients.lab.server import Hatsize
from tests.clients.test_ssh import SSH_DEADLINE, Session

PORT = 9443
FOLLOWED_WITHIN = 30.0
ROUND = 5.0
"""Seconds between the plugin's looks at whose turn it is."""
SETTINGS = """
[plugins]
enabled = ["oidc"]

[[plugins.oidc.providers]]
name = "work"
preset = "keycloak"
issuer = "{issuer}"
client_id = "{client}"
client_secret = "{secret}"
ca_file = "{ca}"
group_domain = "example.com"
allowed_groups = ["staff"]
refresh_minutes = 0.05
logout_return = true
"""
POLICY = {
    "tagOwners": {"tag:server": []},
    "grants": [{"src": ["group:ops@example.com"], "dst": ["tag:server"], "ip": ["*"]}],
    "ssh": [{"action": "check", "src": ["ann@example.com"], "dst": ["tag:server"], "users": ["root"]}],
}


class WithKeycloak(Hatsize):
    def prepare(self) -> None:
        people = {"ann": ("staff", "ops"), "bob": ("visitors",)}
        self.keycloak = Keycloak(self.hub, PORT, self.url, "work", people)
        (self.data.parent / "hatsize.toml").write_text(
            SETTINGS.format(
                issuer=self.keycloak.issuer, client=CLIENT_ID, secret=SECRET, ca=self.keycloak.certificate.certificate
            )
        )

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_CONFIG": str(self.data.parent / "hatsize.toml")}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if lacks := [*keycloak.missing(), *browsers.missing()]:
        pytest.skip(f"logins with Keycloak need {', '.join(lacks)}")
    with laboratory(WithKeycloak) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def work(lab: Lab) -> Keycloak:
    assert isinstance(lab.server, WithKeycloak)
    return lab.server.keycloak


@pytest.fixture(scope="module")
def browser(lab: Lab) -> Browser:
    return Browser(lab.network.machine("desk"))


@pytest.fixture(scope="module")
def server(lab: Lab) -> Client:
    """Ops may see it, and Ann may open a session there after a check."""
    lab.server.set_policy(POLICY)
    server = lab.client("server")
    server.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:server"), "--ssh")
    return server


@pytest.fixture(scope="module")
def laptop(lab: Lab, browser: Browser, server: Client) -> Client:
    """Ann's machine: she has logged in for it."""
    laptop = lab.client("laptop", OLDEST)
    choose(browser, laptop.begin_web_login(lab.server.url), "work")
    sign_in(browser, "ann")
    confirm(browser, laptop)
    return laptop


def sign_in(browser: Browser, who: str) -> None:
    browser.type("#username", who)
    browser.type("#password", PASSWORD)
    browser.click("#kc-login")


def log_in_again(lab: Lab, browser: Browser, client: Client) -> None:
    client.wait_state("NeedsLogin", within=FOLLOWED_WITHIN)
    choose(browser, client.begin_web_login(lab.server.url, "--force-reauth"), "work")
    sign_in(browser, "ann")
    confirm(browser, client)


def test_who_logs_in_is_the_machines_user_with_their_groups(lab: Lab, laptop: Client) -> None:
    user = lab.server.node("laptop")["user"]
    assert (user["name"], user["email"], user["displayName"]) == ("ann", "ann@example.com", "Ann Lab")
    laptop.wait_peer("server")  # which the policy shows to a group of hers alone


def test_a_session_under_check_goes_on_after_a_fresh_login(
    lab: Lab, laptop: Client, browser: Browser, server: Client
) -> None:
    laptop.reach("server")
    session = Session({"laptop": laptop, NEWEST: server}, NEWEST, "echo welcome")
    choose(browser, session.check_url(), "work")
    sign_in(browser, "ann")  # though Keycloak knows the browser
    confirm_session(browser)
    laptop.eventually(lambda: "welcome" in session.said(), "the session goes on", within=SSH_DEADLINE)


def test_who_leaves_a_group_loses_what_it_may_reach(laptop: Client, work: Keycloak) -> None:
    work.leave("ann", "ops")
    laptop.wait_no_peer("server", within=FOLLOWED_WITHIN)
    assert laptop.state() == "Running"
    work.join("ann", "ops")
    laptop.wait_peer("server", within=FOLLOWED_WITHIN)


def test_who_is_disabled_is_out_until_enabled_again(lab: Lab, laptop: Client, browser: Browser, work: Keycloak) -> None:
    work.change("ann", enabled=False)
    laptop.wait_state("NeedsLogin", within=FOLLOWED_WITHIN)
    assert "user ann is shut out: work has ended the session" in lab.server.log.read_text()
    work.change("ann", enabled=True)
    log_in_again(lab, browser, laptop)


def test_whose_sessions_are_ended_is_out_and_logs_in_again(
    lab: Lab, laptop: Client, browser: Browser, work: Keycloak
) -> None:
    def ended() -> bool:
        """A token of the very second in which sessions are ended stays good: Keycloak counts in whole ones."""
        work.log_out("ann")
        time.sleep(1)
        return laptop.state() == "NeedsLogin"

    laptop.eventually(ended, "the session is ended", within=FOLLOWED_WITHIN)
    log_in_again(lab, browser, laptop)


def test_who_logs_out_in_the_browser_is_led_back_and_their_machine_stays(laptop: Client, browser: Browser) -> None:
    """The refresh token is an offline one, which outlives the browser's session."""
    browser.click('a[href*="/logout"]')
    browser.wait_text("You are logged out at work")
    time.sleep(2 * ROUND)
    assert laptop.state() == "Running"


def test_who_is_in_no_allowed_group_is_told_so(lab: Lab, browser: Browser) -> None:
    choose(browser, lab.client("guest").begin_web_login(lab.server.url), "work")
    sign_in(browser, "bob")
    browser.wait_text("This account is in no group of work that may log in here")
