"""A login from the button to the machine in the network, and every way in which it does not get there."""

import logging
from datetime import datetime, timedelta
from time import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import ECKey
from msgspec.structs import replace

from hatsize.tailnet.model import Change, Identity, Node, User, UserStatus

pytestmark = pytest.mark.anyio


def users(tailnet):
    return {user.name: user for user in tailnet.state.all(User)}


async def test_a_login_ends_with_the_machine_in_the_network(browser, waiting_login, tailnet):
    await browser.start(await waiting_login("desk"))
    query = parse_qs(urlsplit(browser.location).query)
    assert browser.status == 303
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://hatsize.example/oidc/work/callback"]
    await browser.come_back()
    assert "Is this your machine?" in browser.body
    assert "desk" in browser.body
    assert "ann@example.com" in browser.body
    assert not list(tailnet.state.all(Node))
    await browser.confirm()
    assert "This machine is in" in browser.body
    [node] = tailnet.state.all(Node)
    assert node.register_method == "work"
    assert tailnet.state.get(User, node.user_id).identities == (Identity("work", "ann-1"),)


async def test_a_provider_that_knows_headscales_redirect_uri_needs_no_other(pages, waiting_login, tailnet, fake):
    browser = pages(headscale_callback=True)()
    await browser.start(await waiting_login("desk"))
    assert parse_qs(urlsplit(browser.location).query)["redirect_uri"] == ["http://hatsize.example/oidc/callback"]
    await browser.get(f"/oidc/callback?{urlencode(fake.authorize(browser.location))}")
    await browser.confirm()
    assert "This machine is in" in browser.body


async def test_headscales_redirect_uri_leads_nowhere_where_no_provider_knows_it(browser):
    await browser.get("/oidc/callback?state=x&code=y")
    assert browser.status == 404


async def test_profile_picture_and_groups_come_along(pages, waiting_login, tailnet, fake):
    fake.person |= {"picture": "https://id.example.com/ann.png", "realm_access": {"roles": ["/ops", "dev"]}}
    await pages(groups_claim="realm_access.roles")().log_in(await waiting_login())
    ann = users(tailnet)["ann"]
    assert (ann.display_name, ann.picture_url) == ("Ann", "https://id.example.com/ann.png")
    assert ann.groups == ("group:ops@work", "group:dev@work")


async def test_what_only_the_userinfo_endpoint_tells_is_taken_too(pages, waiting_login, tailnet, fake):
    fake.person = {"sub": "ann-1"}
    fake.userinfo = {"sub": "ann-1", "preferred_username": "ann", "groups": ["ops"]}
    await pages(groups_claim="groups")().log_in(await waiting_login())
    assert users(tailnet)["ann"].groups == ("group:ops@work",)


async def test_another_persons_profile_is_not_believed(browser, waiting_login, fake):
    fake.userinfo = {"sub": "bob-1", "groups": ["ops"]}
    await browser.start(await waiting_login())
    await browser.come_back()
    assert "tells another person&#39;s profile" in browser.body


async def test_the_refresh_token_is_kept_and_no_page_shows_any_token(browser, waiting_login, tokens, fake):
    await browser.start(await waiting_login())
    await browser.come_back()
    shown = browser.body
    await browser.confirm()
    assert tokens.get(Identity("work", "ann-1")) == "refresh-1"
    for secret in ("refresh-1", "access-secret", "eyJ"):
        assert secret not in shown + browser.body


async def test_the_token_expires_the_machine_where_the_settings_say_so(pages, waiting_login, tailnet):
    await pages(node_expiry="token")().log_in(await waiting_login())
    [node] = tailnet.state.all(Node)
    left = node.key_expiry - datetime.now(node.key_expiry.tzinfo)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser, waiting_login):
    await browser.start(await waiting_login())
    [begun] = browser.headers.getlist("Set-Cookie")
    assert "HttpOnly" in begun
    assert "SameSite=Lax" in begun
    await browser.come_back()
    assert any("SameSite=Strict" in cookie for cookie in browser.headers.getlist("Set-Cookie"))
    assert browser.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in browser.headers["Content-Security-Policy"]


async def test_a_login_begun_in_another_browser_does_not_end_here(pages, waiting_login, fake):
    make = pages()
    theirs, ours = make(), make()
    await theirs.start(await waiting_login())
    ours.location = theirs.location
    await ours.come_back()
    assert (ours.status, "begun in another browser" in ours.body) == (400, True)


async def test_a_confirmation_page_is_no_use_in_another_browser(pages, waiting_login, tailnet):
    make = pages()
    theirs, ours = make(), make()
    await theirs.start(await waiting_login())
    await theirs.come_back()
    ours.body = theirs.body
    await ours.confirm()
    assert "another browser" in ours.body
    assert not list(tailnet.state.all(Node))


async def test_a_form_from_another_site_is_refused(browser, waiting_login, tailnet):
    await browser.start(await waiting_login())
    await browser.come_back()
    await browser.confirm(**{"Sec-Fetch-Site": "cross-site"})
    assert "sent from another site" in browser.body
    assert not list(tailnet.state.all(Node))


async def test_a_state_is_taken_once(browser, waiting_login, fake):
    await browser.start(await waiting_login())
    answer = fake.authorize(browser.location)
    cookies = [(cookie.name, cookie.value) for cookie in browser.cookies()]
    path = f"/oidc/work/callback?state={answer['state']}&code={answer['code']}&iss={answer['iss']}"
    await browser.get(path)
    for name, value in cookies:
        browser._client.set_cookie("localhost", name, value, path="/oidc/")
    await browser.get(path)
    assert (browser.status, "state was replayed" in browser.body) == (400, True)


async def test_a_button_is_pressed_once(browser, waiting_login):
    await browser.start(await waiting_login())
    await browser.come_back()
    page = browser.body
    await browser.confirm()
    browser.body = page
    await browser.confirm()
    assert "this page was used already" in browser.body.lower()


async def test_a_button_is_no_use_once_the_machine_is_in(browser, waiting_login, tailnet):
    await browser.start(await waiting_login())
    await browser.come_back()
    page, cookies = browser.body, [(cookie.name, cookie.value) for cookie in browser.cookies()]
    await browser.confirm()
    for name, value in cookies:
        browser._client.set_cookie("localhost", name, value, path="/oidc/")
    browser.body = page
    await browser.confirm()
    assert "Nothing waits for this login any more" in browser.body
    assert len(list(tailnet.state.all(Node))) == 1


async def test_each_page_of_a_login_may_be_at_another_replica(pages, fake, waiting_login, tailnet):
    fake.metadata = {"end_session_endpoint": "https://id.example.com/out"}
    one, two = pages()(), pages()()
    await one.start(await waiting_login())
    two.take_over(one)
    await two.come_back()
    one.take_over(two)
    await one.confirm()
    assert "This machine is in" in one.body
    two.take_over(one)
    await two.get(one.body.partition('href="')[2].partition('"')[0])
    assert two.location.startswith("https://id.example.com/out?")


async def test_a_login_that_nobody_waits_for_is_over(browser):
    await browser.start("hskey-authreq-" + "0" * 24)
    assert (browser.status, "Nothing waits for this login any more" in browser.body) == (400, True)


async def test_a_provider_that_is_not_there_is_no_page(browser):
    await browser.start("x", name="other")
    assert browser.status == 404


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda fake: setattr(fake, "down", True), "work cannot be reached at https://id.example.com"),
        (lambda fake: fake.metadata.update(issuer="https://evil.example"), "wrong issuer: the settings say"),
        (lambda fake: fake.metadata.update(token_endpoint="http://id.example.com/t"), "no usable token_endpoint"),
        (
            lambda fake: fake.metadata.update(id_token_signing_alg_values_supported=["HS256", "none"]),
            "HS256, none alone",
        ),
    ],
)
async def test_a_provider_that_cannot_be_used_is_said_before_anybody_goes_there(
    browser, waiting_login, fake, caplog, break_it, words
):
    break_it(fake)
    await browser.start(await waiting_login())
    assert browser.status == 502
    assert words in browser.body.replace("Wrong", "wrong").replace("Work", "work")
    assert words in caplog.text


def skewed(**seconds):
    at = int(time())
    return {name: at + more for name, more in seconds.items()}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iss": "https://evil.example"}, "wrong issuer: the ID token is from https://evil.example"),
        ({"aud": "another"}, "the ID token is for another, not for hatsize"),
        ({"nonce": "another"}, "belongs to another login"),
        ({"nonce": None}, "lacks nonce"),
        (skewed(iat=-900, exp=-600), "seconds ago"),
        (skewed(iat=900, exp=1200), "clock skew: the ID token is from"),
        ({"exp": None}, "lacks exp"),
        ({"sub": None}, "lacks sub"),
        ({"exp": "soon"}, "exp is not as it should be"),
    ],
)
async def test_an_id_token_that_is_not_right_is_said_in_words(browser, waiting_login, fake, caplog, claims, words):
    caplog.set_level(logging.INFO, "hatsize.oidc")
    fake.id_token_claims = claims
    await browser.start(await waiting_login())
    await browser.come_back()
    assert browser.status == 403
    assert words in caplog.text
    assert "Traceback" not in caplog.text
    assert words[1:] in browser.body
    assert "confirm" not in browser.body


async def test_a_clock_within_the_leeway_is_right(pages, waiting_login, tailnet, fake):
    fake.id_token_claims = skewed(iat=90, exp=390)
    await pages(leeway_seconds=120)().log_in(await waiting_login())
    assert "ann" in users(tailnet)


async def test_a_key_nobody_knows_and_a_forged_signature_are_refused(browser, waiting_login, fake):
    fake.published = fake.keys
    fake.keys = [ECKey.generate_key("P-256", {"kid": "one"})]
    await browser.start(await waiting_login())
    await browser.come_back()
    assert "signature is not the provider&#39;s" in browser.body


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ({"error": "access_denied"}, 403, "The login was declined at work"),
        ({"error": "temporarily_unavailable"}, 502, "Work cannot log anybody in now"),
        (
            {"error": "consent_required", "error_description": "ask\n<b>first"},
            403,
            "consent_required: ask &lt;b&gt;first",
        ),
        ({"iss": "https://evil.example"}, 403, "Wrong issuer: the answer is from https://evil.example"),
        ({"code": "unknown"}, 400, "does not take the code any more"),
    ],
)
async def test_what_the_browser_comes_back_with_is_said_in_words(browser, waiting_login, answer, status, words):
    await browser.start(await waiting_login())
    await browser.come_back(**answer)
    assert browser.status == status
    assert words in browser.body


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {"error": "invalid_client"}), "has to look at client_id and client_secret"),
        ((400, {"error": "odd", "error_description": "no"}), "refuses to give tokens: odd: no"),
        ((500, b"oops"), "work answers with status 500 at https://id.example.com/realms/main/token"),
        ((429, b"slow down"), "work answers with status 429"),
        ((200, b"<html>"), "does not answer with JSON"),
        ((200, {"access_token": "a", "token_type": "Bearer"}), "gave no ID token"),
        ((200, b'{"id_token": "' + b"x" * 2_000_000 + b'"}'), "the answer is longer than"),
        ((200, {"access_token": "a", "id_token": "x" * 70_000}), "ID token is too long"),
        ((200, {"access_token": "a", "id_token": "no.token"}), "ID token cannot be read"),
    ],
)
async def test_what_the_token_endpoint_answers_is_said_in_words(browser, waiting_login, fake, answer, words):
    fake.token_answer = answer
    await browser.start(await waiting_login())
    await browser.come_back()
    assert words in browser.body.replace("Work", "work")


async def test_who_may_not_log_in_is_told_why(pages, waiting_login, tailnet):
    browser = pages(allowed_domains=["example.org"])()
    await browser.start(await waiting_login())
    await browser.come_back()
    assert (browser.status, "Addresses of example.com may not log in here" in browser.body) == (403, True)
    assert "ann" not in users(tailnet)


async def test_who_an_administrator_has_suspended_is_told_so(browser, waiting_login, tailnet):
    await browser.log_in(await waiting_login())
    ann = replace(users(tailnet)["ann"], status=UserStatus.SUSPENDED)
    await tailnet.live.run(lambda _: Change(tailnet=1, kind="user.updated", puts=(ann,), at=tailnet.clock()))
    await browser.log_in(await waiting_login("phone"))
    assert "is suspended: ask an administrator" in browser.body


async def test_log_out_leads_to_the_provider_where_it_offers_that(pages, waiting_login, fake):
    fake.metadata = {"end_session_endpoint": "https://id.example.com/out"}
    browser = pages(logout_return=True)()
    await browser.log_in(await waiting_login())
    link = browser.body.partition('href="')[2].partition('"')[0]
    await browser.get(link)
    query = parse_qs(urlsplit(browser.location).query)
    assert browser.location.startswith("https://id.example.com/out?")
    assert query["id_token_hint"][0].startswith("eyJ")
    assert query["post_logout_redirect_uri"] == ["http://hatsize.example/oidc/work/logged-out"]
    await browser.get("/oidc/work/logged-out")
    assert "You are logged out at work" in browser.body


async def test_it_is_not_offered_where_the_provider_has_none(browser, waiting_login):
    await browser.log_in(await waiting_login())
    assert "logout" not in browser.body
