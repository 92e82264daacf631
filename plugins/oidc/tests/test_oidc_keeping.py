"""What is kept of logins: sealed in the browser, in memory until the click, and on the disk afterwards."""

import json
import stat

import pytest

from hatsize.hooks.auth import LoginIdentity
from hatsize.tailnet.model import Identity
from hatsize_oidc import confirmations, underway
from hatsize_oidc.confirmations import Answered, Confirmations
from hatsize_oidc.failures import StaleFailure
from hatsize_oidc.refresh_tokens import FILE, RefreshTokens
from hatsize_oidc.underway import Seal

ANN = Identity("work", "ann-1")
BOB = Identity("work", "bob-1")


class Watch:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def seal(watch):
    return Seal(watch)


def begun(seal):
    login = seal.begin("work", "auth", fresh=False)
    return login, seal.sealed(login)


def test_a_browser_gets_back_what_it_was_given(seal):
    login, cookie = begun(seal)
    assert login.verifier not in cookie
    assert seal.taken("work", login.state, cookie) == login


def test_a_login_is_taken_once(seal):
    login, cookie = begun(seal)
    seal.taken("work", login.state, cookie)
    with pytest.raises(StaleFailure, match="replayed"):
        seal.taken("work", login.state, cookie)


@pytest.mark.parametrize(("name", "state"), [("work", "other"), ("guests", None)])
def test_an_answer_to_another_login_is_refused(seal, name, state):
    login, cookie = begun(seal)
    with pytest.raises(StaleFailure, match="belongs to another login"):
        seal.taken(name, state or login.state, cookie)
    assert seal.taken("work", login.state, cookie) == login


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA"])
def test_a_cookie_of_somebody_elses_making_is_refused(seal, cookie):
    with pytest.raises(StaleFailure):
        seal.taken("work", "state", cookie)


def test_a_login_has_ten_minutes(seal, watch):
    login, cookie = begun(seal)
    watch.now += underway.LIFETIME + 1
    with pytest.raises(StaleFailure, match="10 minutes"):
        seal.taken("work", login.state, cookie)


def test_used_states_are_forgotten_when_their_time_is_over(seal, watch, monkeypatch):
    for _ in range(3):
        login, cookie = begun(seal)
        seal.taken("work", login.state, cookie)
        watch.now += underway.LIFETIME + 1
    assert len(seal._used) == 1
    monkeypatch.setattr(underway, "REMEMBERED", 2)
    for _ in range(5):
        login, cookie = begun(seal)
        seal.taken("work", login.state, cookie)
    assert len(seal._used) == 2


ANSWERED = Answered("work", "auth", LoginIdentity(ANN, "ann"), "secret-refresh", "secret-id")


def test_a_confirmation_is_taken_once_by_its_browser(watch):
    waiting = Confirmations(watch)
    token, browser = waiting.wait(ANSWERED)
    with pytest.raises(StaleFailure, match="another browser"):
        waiting.taken(token, "other")
    assert waiting.taken(token, browser) is ANSWERED
    with pytest.raises(StaleFailure):
        waiting.taken(token, browser)


def test_a_confirmation_has_five_minutes_and_there_is_an_end_to_them(watch, monkeypatch):
    waiting = Confirmations(watch)
    token, browser = waiting.wait(ANSWERED)
    watch.now += confirmations.LIFETIME
    with pytest.raises(StaleFailure, match="5 minutes"):
        waiting.taken(token, browser)
    monkeypatch.setattr(confirmations, "MOST", 2)
    first, browser = waiting.wait(ANSWERED)
    waiting.wait(ANSWERED)
    waiting.wait(ANSWERED)
    with pytest.raises(StaleFailure):
        waiting.taken(first, browser)


def test_no_secret_is_shown_by_accident():
    assert "secret" not in repr(ANSWERED)


@pytest.mark.anyio
async def test_refresh_tokens_survive_a_restart_and_are_for_the_server_alone(tmp_path):
    tokens = RefreshTokens(tmp_path / "oidc")
    tokens.load()
    await tokens.keep(ANN, "one")
    await tokens.keep(ANN, "two")
    await tokens.keep(BOB, "three")
    await tokens.forget(BOB)
    again = RefreshTokens(tmp_path / "oidc")
    again.load()
    assert [(kept.identity, kept.token) for kept in again] == [(ANN, "two")]
    assert stat.S_IMODE((tmp_path / "oidc" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "oidc").stat().st_mode) == 0o700
    assert "two" not in repr(list(again))


@pytest.mark.parametrize("content", ["", "{", json.dumps([{"provider": 7}])])
def test_a_file_that_cannot_be_read_does_not_stop_the_server(tmp_path, caplog, content):
    (tmp_path / FILE).write_text(content)
    tokens = RefreshTokens(tmp_path)
    tokens.load()
    assert list(tokens) == []
    assert "cannot read" in caplog.text
