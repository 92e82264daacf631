"""headscale-ui, unmodified, in a browser that runs all of it: users and nodes are shown and changed."""

import json
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.consoles.conftest import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HEADSCALE_UI = os.environ.get("HEADSCALE_UI", "")


class Files(SimpleHTTPRequestHandler):
    """The console's files, below /web."""

    def translate_path(self, path):
        return super().translate_path(path.removeprefix("/web") or "/")

    def log_message(self, *_):
        pass


@pytest.fixture
def console(serve, browser):
    """A console that has been told of a server, which lets pages from there in."""
    if not HEADSCALE_UI:
        pytest.skip("HEADSCALE_UI does not name a built headscale-ui: see tests/consoles/README.md")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(Path(HEADSCALE_UI)))) as files:
        threading.Thread(target=files.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        origin = f"http://127.0.0.1:{files.server_port}"
        server = serve(origin=origin)
        browser.open(f"{origin}/web/settings.html")
        for name, value in {"headscaleURL": server.url, "headscaleAPIKey": server.key}.items():
            browser.driver.execute_script("localStorage.setItem(arguments[0], arguments[1])", name, value)

        def show(page):
            browser.open(f"{origin}/web/{page}.html")
            return browser

        yield show, server
        files.shutdown()


def test_users_and_nodes_are_shown(console):
    show, _ = console
    show("users").shows("alice", "bob")
    show("devices").shows("router")


def test_a_user_is_made(console):
    show, server = console
    page = show("users")
    page.click("+ New User")
    page.fill("input[placeholder=name]", "carol")
    page.click_at("//input[@placeholder='name']/following::button[1]")
    eventually("carol is a user", lambda: "carol" in json.dumps(server.run("users", "list")))
