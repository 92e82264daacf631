"""What is kept of logins until the click: sealed, in the browser."""

from datetime import UTC, datetime

import pytest

from hatsize.hooks.auth import LoginIdentity
from hatsize.tailnet.model import Identity
from hatsize_oidc import confirmations, cookies, underway
from hatsize_oidc.confirmations import Answered, Confirmations
from hatsize_oidc.failures import ProviderFailure, StaleFailure
from hatsize_oidc.leaving import LONGEST, Leavings
from hatsize_oidc.underway import Logins

KEY = bytes(range(32))
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
def logins(watch):
    return Logins(KEY, watch)


def begun(logins):
    return logins.begin("work", "auth", fresh=False)


def test_a_browser_gets_back_what_it_was_given(logins):
    login, cookie = begun(logins)
    assert login.verifier not in cookie
    assert logins.taken("work", login.state, cookie) == login


def test_any_replica_can_go_on_with_a_login_and_no_other_server(logins, watch):
    login, cookie = begun(logins)
    assert Logins(KEY, watch).taken("work", login.state, cookie) == login
    with pytest.raises(StaleFailure):
        Logins(bytes(32), watch).taken("work", login.state, cookie)


def test_a_login_is_taken_once(logins):
    login, cookie = begun(logins)
    logins.taken("work", login.state, cookie)
    with pytest.raises(StaleFailure, match="replayed"):
        logins.taken("work", login.state, cookie)


@pytest.mark.parametrize(("name", "state"), [("work", "other"), ("guests", None)])
def test_an_answer_to_another_login_is_refused(logins, name, state):
    login, cookie = begun(logins)
    with pytest.raises(StaleFailure, match="belongs to another login"):
        logins.taken(name, state or login.state, cookie)
    assert logins.taken("work", login.state, cookie) == login


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA", "é"])
def test_a_cookie_of_somebody_elses_making_is_refused(logins, cookie):
    with pytest.raises(StaleFailure):
        logins.taken("work", "state", cookie)


def test_a_login_has_ten_minutes(logins, watch):
    login, cookie = begun(logins)
    watch.now += underway.LIFETIME + 1
    with pytest.raises(StaleFailure, match="10 minutes"):
        logins.taken("work", login.state, cookie)


def test_used_states_are_forgotten_when_their_time_is_over(logins, watch, monkeypatch):
    for _ in range(3):
        login, cookie = begun(logins)
        logins.taken("work", login.state, cookie)
        watch.now += underway.LIFETIME + 1
    assert len(logins._used) == 1
    monkeypatch.setattr(underway, "REMEMBERED", 2)
    for _ in range(5):
        login, cookie = begun(logins)
        logins.taken("work", login.state, cookie)
    assert len(logins._used) == 2


CLAIMS = {"sub": "ann-1", "odd": [1e300, 2**80, None, "\ud800"], "realm_access": {"roles": ["ops"]}}
PERSON = LoginIdentity(ANN, "ann", groups=["group:ops@work"], expires=datetime(2026, 1, 2, tzinfo=UTC), claims=CLAIMS)
ANSWERED = Answered("work", "auth", PERSON, "secret-refresh", "secret-id")


@pytest.fixture
def waiting(watch):
    return Confirmations(KEY, watch)


def test_a_confirmation_is_for_its_browser_at_any_replica(waiting, watch):
    token, browser = waiting.wait(ANSWERED)
    with pytest.raises(StaleFailure, match="another browser"):
        waiting.taken(token, "other")
    assert Confirmations(KEY, watch).taken(token, browser) == ANSWERED


def test_a_confirmation_has_five_minutes(waiting, watch):
    token, browser = waiting.wait(ANSWERED)
    watch.now += confirmations.LIFETIME + 1
    with pytest.raises(StaleFailure, match="5 minutes"):
        waiting.taken(token, browser)


def test_what_is_sealed_for_one_purpose_is_no_use_for_another(watch, waiting):
    _, sealed = Leavings(bytes(32), watch).offer("work", "secret-id")
    with pytest.raises(StaleFailure):
        waiting.taken(sealed, "")


def test_more_claims_than_a_form_holds_are_refused_in_words(waiting, monkeypatch):
    monkeypatch.setattr(confirmations, "LONGEST", 100)
    with pytest.raises(ProviderFailure, match="work tells more of you than a page can hold: let it send"):
        waiting.wait(ANSWERED)


def test_pages_of_one_second_have_cookies_of_their_own(waiting):
    tokens = [waiting.wait(ANSWERED)[0] for _ in range(2)]
    assert len({cookies.confirming(token) for token in tokens}) == 2


def test_a_way_out_is_its_browsers_own(watch):
    leavings = Leavings(KEY, watch)
    page, cookie = leavings.offer("work", "secret-id")
    assert "secret-id" not in page + cookie
    for provider, which, kept in [("guests", page, cookie), ("work", "other", cookie), ("work", page, "")]:
        with pytest.raises(StaleFailure, match="another browser"):
            leavings.taken(provider, which, kept)
    assert Leavings(KEY, watch).taken("work", page, cookie) == "secret-id"


def test_an_id_token_too_long_for_a_cookie_is_left_out(watch):
    leavings = Leavings(KEY, watch)
    page, cookie = leavings.offer("work", "".join(map(str, range(5000))))
    assert len(cookie) <= LONGEST
    assert leavings.taken("work", page, cookie) == ""


def test_no_secret_is_shown_by_accident():
    assert "secret" not in repr(ANSWERED)
