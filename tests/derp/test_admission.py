"""Who may use the relay."""

import json

import anyio
import pytest

from hatsize.derp import admission
from hatsize.derp.admission import VerifyURL, everybody, known_nodes
from hatsize.derp.http_client import get, post
from hatsize.wire.keys import NodeKey

pytestmark = pytest.mark.anyio
KEY = NodeKey("nodekey:" + "ab" * 32)


class Controller:
    """Another server's answers, and what it was asked."""

    def __init__(self, status=200, body=b'{"Allow":true}', error=None):
        self.status, self.body, self.error, self.asked = status, body, error, []

    async def post(self, url, body):
        self.asked.append((url, json.loads(body)))
        if self.error:
            raise self.error
        return self.status, self.body


async def test_everybody():
    assert await everybody(KEY, "192.0.2.1")


async def test_a_node_registered_a_moment_ago_is_known():
    known = set()
    admit = known_nodes(lambda key, _: key in known)
    assert not await admit(KEY, "192.0.2.1")
    known.add(KEY)
    assert await admit(KEY, "192.0.2.1")


async def test_the_question_is_derper_s():
    controller = Controller()
    assert await VerifyURL("https://control/verify", controller.post)(KEY, "192.0.2.1")
    assert controller.asked == [("https://control/verify", {"NodePublic": KEY, "Source": "192.0.2.1"})]


@pytest.mark.parametrize("body", [b'{"Allow":false}', b"{}"])
async def test_a_no_is_a_no_even_when_failing_open(body):
    assert not await VerifyURL("url", Controller(body=body).post, fail_open=True)(KEY, "")


@pytest.mark.parametrize("fail_open", [False, True])
@pytest.mark.parametrize(
    "controller",
    [Controller(status=500), Controller(body=b"<html>"), Controller(error=ConnectionRefusedError("refused"))],
    ids=["status", "no JSON", "refused"],
)
async def test_without_an_answer_the_choice_counts(controller, fail_open, caplog):
    assert await VerifyURL("https://control/verify", controller.post, fail_open=fail_open)(KEY, "") is fail_open
    assert "https://control/verify does not say" in caplog.text


async def test_an_answer_that_takes_too_long_is_none(monkeypatch):
    monkeypatch.setattr(admission, "TIMEOUT", 0.01)

    async def never(_url, _body):
        await anyio.sleep_forever()

    assert not await VerifyURL("url", never)(KEY, "")


class TestHTTP:
    """The client that asks, against a server of one answer."""

    @pytest.fixture
    async def answering(self):
        heard, listeners = [], []

        async def answer_with(answer):
            async def serve(stream):
                async with stream:
                    heard.append(await stream.receive())
                    await stream.send(answer)

            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
            listeners.append(listener)
            group.start_soon(listener.serve, serve)
            return f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}", heard

        async with anyio.create_task_group() as group:
            yield answer_with
            group.cancel_scope.cancel()
        for listener in listeners:
            await listener.aclose()

    async def test_a_body_is_posted_and_one_comes_back(self, answering):
        url, heard = await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert await post(f"{url}/verify?a=b", b"{}") == (200, b"ok")
        assert heard[0].startswith(b"POST /verify?a=b HTTP/1.0\r\nHost: 127.0.0.1:")
        assert heard[0].endswith(b"\r\n\r\n{}")

    async def test_a_page_is_fetched(self, answering):
        url, heard = await answering(b"HTTP/1.1 200 OK\r\n\r\nregions: {}")
        assert await get(url) == b"regions: {}"
        assert heard[0].startswith(b"GET / HTTP/1.0\r\n")

    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
            (b"SSH-2.0-OpenSSH\r\n", "not answer in HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "cut off"),
            (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5_000_000), "longer than"),
        ],
    )
    async def test_what_cannot_be_used(self, answering, answer, says):
        url, _ = await answering(answer)
        with pytest.raises(OSError, match=says):
            await get(url)

    @pytest.mark.parametrize("url", ["ftp://host/", "nothing", "https://a..b/", "https://host:99999/"])
    async def test_what_is_no_url(self, url):
        with pytest.raises(OSError, match="no http or https"):
            await get(url)
