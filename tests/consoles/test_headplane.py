"""Headplane, unmodified, in a browser: users, nodes, routes, keys and the policy are shown and changed."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.consoles.conftest import eventually, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HEADPLANE = os.environ.get("HEADPLANE", "")
CONFIG = """
server:
  host: 127.0.0.1
  port: {port}
  base_url: http://127.0.0.1:{port}
  cookie_secret: "0123456789abcdef0123456789abcdef"
  cookie_secure: false
  data_path: {folder}
headscale:
  url: {server}
"""


@pytest.fixture
def console(serve, browser, tmp_path):
    """A console that somebody has signed in to, and the server it administers."""
    if not HEADPLANE:
        pytest.skip("HEADPLANE does not name a built Headplane: see tests/consoles/README.md")
    server, port, folder = serve(), free_port(), tmp_path / "headplane"
    folder.mkdir()
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(port=port, folder=folder, server=server.url))
    environ = {**os.environ, "HEADPLANE_CONFIG_PATH": str(config), "NODE_ENV": "production"}
    node = [os.environ.get("NODE", "node"), "build/server/index.js"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(node, cwd=HEADPLANE, env=environ, stdout=log, stderr=log)
    eventually("Headplane listens", lambda: b"Listening" in Path(log.name).read_bytes())
    browser.open(f"http://127.0.0.1:{port}/admin/login")
    browser.fill("input[name=api_key]", server.key)
    browser.click("Sign In")
    browser.shows("Machines", "router")

    def show(page):
        browser.open(f"http://127.0.0.1:{port}/admin/{page}")
        return browser

    yield show, server
    process.terminate()
    process.wait(10)


def test_nodes_users_and_keys_are_shown(console):
    show, server = console
    show("machines").shows("router", "alice", "100.64.0.1")
    show("users").shows("alice", "bob")
    server.run("preauthkeys", "create", "--user", "1", "--reusable")
    show("settings/auth-keys").shows("tskey-auth-", "Reusable")


def test_a_user_is_made(console):
    show, server = console
    page = show("users")
    page.click("Add user")
    page.fill("input[name=username]", "carol")
    page.fill("input[name=email]", "carol@example.com")
    page.element("input[name=email]").submit()
    eventually("carol is a user", lambda: "carol" in [user["name"] for user in server.run("users", "list")])
    page.shows("carol")


def test_a_route_is_approved(console):
    show, server = console
    page = show("machines/1")
    page.click("Review")
    page.click("Enabled")
    eventually("the route is approved", lambda: server.run("nodes", "list")[0]["approvedRoutes"] == ["10.0.0.0/24"])


def test_a_machine_is_renamed(console):
    show, server = console
    page = show("machines/1")
    page.click("Machine Settings")
    page.click("Edit machine name")
    page.fill("input[name=name]", "gateway")
    page.element("input[name=name]").submit()
    eventually("it has the name", lambda: server.run("nodes", "list")[0]["givenName"] == "gateway")


def test_a_key_is_expired(console):
    show, server = console
    page = show("settings/auth-keys")
    page.click("Expire Key")
    page.click("Confirm")
    eventually("the key is of no more use", lambda: all(map(_over, server.run("preauthkeys", "list"))))


def test_the_policy_is_changed_and_a_bad_one_refused_in_words(console):
    show, server = console
    server.run("policy", "set", "-f", str(_policy(server)))
    page = show("acls")
    page.shows("acls")
    editor = page.element(".cm-content")
    editor.click()
    editor.send_keys("// seen\n")
    page.click("Save")
    eventually("the policy is saved", lambda: "seen" in server.text("policy", "get"))


def _over(key):
    return datetime.fromisoformat(key["expiration"]) <= datetime.now(UTC)


def _policy(server):
    path = Path(server._environ["HATSIZE_DATA_DIR"]) / "policy.hujson"
    path.write_text('{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}')
    return path
