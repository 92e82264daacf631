"""What the service says is what happens, and its silence is a no."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hatsize_http_auth.plugin import HttpAuthPlugin, Settings
from pydantic import ValidationError

from hatsize.hooks.auth import Allow, Deny, Registration
from hatsize.hooks.manager import Plugins
from hatsize.testing.contracts.storage_samples import NOON, a_user
from hatsize.wire.tailcfg import Hostinfo, RegisterRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def door():
    """A service that answers what a test tells it to, and what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.authorization = self.headers["Authorization"]
            self.send_response(server.status)
            self.end_headers()
            self.wfile.write(server.answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status, server.answer = 200, b"{}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def decision(url, **settings):
    plugins = Plugins()
    plugins.add(HttpAuthPlugin(), "http-auth", Settings(url=url, **settings))
    request = RegisterRequest(Hostinfo=Hostinfo(Hostname="web", OS="linux"))
    return await plugins.registration(None, Registration(request, "mkey:00", None, "192.0.2.1", NOON), a_user())


def url_of(door):
    return f"http://127.0.0.1:{door.server_port}/ask"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"allow": True}, None),
        ({"allow": False, "reason": "not on Sundays"}, Deny("not on Sundays")),
        ({"allow": False}, Deny("you may not join")),
        ({"allow": "yes"}, Deny("you may not join")),
        ({"hold": True}, Allow(user_id=1, method="http-auth", authorized=False)),
    ],
)
async def test_the_answer_decides(door, answer, expected):
    door.answer = json.dumps(answer).encode()
    assert await decision(url_of(door)) == expected


async def test_the_service_is_told_who_asks(door):
    await decision(url_of(door), token="0123456789abcdef")
    assert door.asked == {"hostname": "web", "os": "linux", "remote": "192.0.2.1", "user": a_user().login_name}
    assert door.authorization == "Bearer 0123456789abcdef"


@pytest.mark.parametrize(("status", "answer"), [(500, b"{}"), (200, b"<html>")])
async def test_what_cannot_be_read_is_a_no(door, status, answer):
    door.status, door.answer = status, answer
    assert "does not answer" in (await decision(url_of(door))).reason


async def test_silence_is_a_no():
    assert "does not answer" in (await decision("http://127.0.0.1:1/ask")).reason


async def test_other_urls_are_refused():
    with pytest.raises(ValidationError, match="is not an http"):
        Settings(url="file:///etc/passwd")
