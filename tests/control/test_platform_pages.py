"""Set-up pages for clients that are told of their control server by profile or registry."""

import plistlib

import pytest
from quart import Quart

from hatsize.control.platform_pages import blueprint

pytestmark = pytest.mark.anyio
URL = "https://hatsize.example.com"


@pytest.fixture
def browser():
    app = Quart("hatsize.control")
    app.register_blueprint(blueprint(URL))
    return app.test_client()


@pytest.mark.parametrize("page", ["/apple", "/windows"])
async def test_a_page_names_the_server(browser, page):
    answer = await browser.get(page)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/html")
    assert f"tailscale login --login-server {URL}" in await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("platform", "domain"),
    [("macos-app-store", "io.tailscale.ipn.macos"), ("macos-standalone", "io.tailscale.ipn.macsys")],
)
async def test_a_profile_sets_the_control_server(browser, platform, domain):
    answer = await browser.get(f"/apple/{platform}")
    assert answer.content_type == "application/x-apple-aspen-config; charset=utf-8"
    assert f"hatsize-{platform}.mobileconfig" in answer.headers["Content-Disposition"]
    profile = plistlib.loads(await answer.get_data())
    (payload,) = profile["PayloadContent"]
    assert (payload["PayloadType"], payload["ControlURL"]) == (domain, URL)
    assert profile["PayloadUUID"] != payload["PayloadUUID"]


async def test_a_profile_is_the_same_each_time(browser):
    first, second = [await (await browser.get("/apple/macos-app-store")).get_data() for _ in range(2)]
    assert first == second


async def test_there_is_no_profile_for_other_systems(browser):
    assert (await browser.get("/apple/newton")).status_code == 404
