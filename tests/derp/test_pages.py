"""The other pages of a DERP host, as functions and in a Quart app."""

import json

import pytest
from quart import Quart

from hatsize.derp.blueprint import blueprint
from hatsize.derp.pages import Request, pages

NAMES = {"derp1.example.com": ["192.0.2.1", "2001:db8::1"], "control.example.com": ["192.0.2.2"]}


def ask(path, method="GET", **how):
    return pages(lambda: NAMES)[path](Request(method, path, **how))


@pytest.mark.parametrize("path", ["/derp/probe", "/derp/latency-check"])
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405), ("PUT", 405)])
def test_probes_are_for_get_and_head(path, method, status):
    assert ask(path, method).status == status


def test_a_browser_may_probe():
    assert ask("/derp/probe").headers["Access-Control-Allow-Origin"] == "*"


def test_no_portal_answers_the_challenge():
    page = ask("/generate_204", headers={"x-tailscale-challenge": "ts_derp1.example.com"})
    assert page.status == 204
    assert page.headers["X-Tailscale-Response"] == "response ts_derp1.example.com"
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("challenge", ["", "a" * 65, "a b", "ä", "a\r\nSet-Cookie: b"])
def test_an_odd_challenge_is_not_repeated(challenge):
    page = ask("/generate_204", headers={"x-tailscale-challenge": challenge})
    assert page.status == 204
    assert "X-Tailscale-Response" not in page.headers


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"q": "derp1.example.com"}, {"derp1.example.com": NAMES["derp1.example.com"]}),
        ({"q": "elsewhere.example.com"}, NAMES),
        ({}, NAMES),
    ],
)
def test_bootstrap_dns_has_one_name_or_all(query, answer):
    page = ask("/bootstrap-dns", query=query)
    assert json.loads(page.body) == answer
    assert page.headers["Connection"] == "close"


def test_search_engines_leave():
    assert ask("/robots.txt").body == b"User-agent: *\nDisallow: /\n"


def test_people_learn_what_this_is():
    assert b"relay" in ask("/").body


def test_the_relay_wants_an_upgrade():
    assert ask("/derp").status == 426


@pytest.fixture
def client():
    app = Quart(__name__)
    app.register_blueprint(blueprint(lambda: NAMES, without=frozenset({"/"})))
    return app.test_client()


@pytest.mark.anyio
async def test_in_an_app(client):
    answer = await client.get("/generate_204", headers={"X-Tailscale-Challenge": "ts_x"})
    assert (answer.status_code, answer.headers["X-Tailscale-Response"]) == (204, "response ts_x")
    assert (await client.post("/derp/latency-check")).status_code == 405
    head = await client.head("/derp/probe")
    assert (head.status_code, head.headers["Access-Control-Allow-Origin"]) == (200, "*")
    named = await client.get("/bootstrap-dns?q=control.example.com")
    assert await named.get_json() == {"control.example.com": ["192.0.2.2"]}


@pytest.mark.anyio
async def test_an_app_keeps_its_own_pages(client):
    assert (await client.get("/")).status_code == 404
