"""HTTP on the port: requests, upgrades however they come, and an end that does not hang.

This is also the contract with the pinned Hypercorn: what `hatsize.server.http` relies on is exercised here.
"""

import asyncio
import base64
import contextlib
import os
import ssl

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived

from hatsize.server import http
from hatsize.server.listener import Listener
from hatsize.server.tls import build_context, self_signed

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


UPGRADE = b"POST /echo HTTP/1.1\r\nHost: x\r\nUpgrade: Shout\r\nConnection: keep-alive, Upgrade\r\nX-Name: a\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/poll":
        assert (await receive())["type"] == "http.request"
        await receive()
        return
    body = f"{scope['client'][0]} {scope['scheme']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Shout(asyncio.Protocol):
    """Answers an upgrade and sends back what it gets in capitals."""

    def __init__(self):
        self.upgrades = []
        self.lost = asyncio.Event()

    def __call__(self, upgrade):
        self.upgrades.append(upgrade)
        self.transport = upgrade.transport
        if not upgrade.answered:
            upgrade.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        upgrade.transport.set_protocol(self)
        if upgrade.trailing:
            self.data_received(upgrade.trailing)

    def data_received(self, data):
        self.transport.write(data.upper())

    def connection_lost(self, exc):
        self.lost.set()


@contextlib.asynccontextmanager
async def serving(ssl_context=None, trusted_proxies=()):
    shout = Shout()
    listener = Listener(app, {("/echo", "shout"): shout}, ssl_context, trusted_proxies)
    await listener.start("127.0.0.1", 0)
    shout.listener, shout.address = listener, listener.sockets[0].getsockname()
    try:
        yield shout
    finally:
        await listener.stop(0.1)


@contextlib.asynccontextmanager
async def connected(address, **options):
    reader, writer = await asyncio.open_connection(*address, **options)
    try:
        async with asyncio.timeout(5):
            yield reader, writer
    finally:
        writer.close()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def answered(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


@pytest.mark.parametrize("before", [0, 3])
async def test_an_upgrade_may_be_any_request_of_a_connection(before):
    async with serving() as shout, connected(shout.address) as (reader, writer):
        for _ in range(before):
            writer.write(GET)
            assert await answered(reader) == b"127.0.0.1 http"
        writer.write(UPGRADE + b"glued")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"GLUED"
        writer.write(b"more")
        assert await reader.readexactly(4) == b"MORE"
        (upgrade,) = shout.upgrades
        assert (upgrade.method, upgrade.path, upgrade.remote, upgrade.tls) == ("POST", "/echo", "127.0.0.1", False)
        assert upgrade.headers["x-name"] == "a"


async def test_a_connection_handed_over_is_no_longer_the_listeners():
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        await shout.listener.stop(0.1)
        writer.write(b"still")
        assert await reader.readexactly(5) == b"STILL"
    await asyncio.wait_for(shout.lost.wait(), 5)


async def test_an_upgrade_works_inside_tls(tmp_path):
    files = self_signed(tmp_path, ["localhost"])
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    options = {"ssl": trusting, "server_hostname": "localhost"}
    async with serving(build_context(files)) as shout, connected(shout.address, **options) as (reader, writer):
        writer.write(UPGRADE + b"glued")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"GLUED"
        assert shout.upgrades[0].tls


@pytest.mark.parametrize(
    "request_",
    [
        UPGRADE.replace(b"Shout", b"other"),
        UPGRADE.replace(b"/echo", b"/other"),
        UPGRADE.replace(b"keep-alive, Upgrade", b"keep-alive"),
        UPGRADE.replace(b"X-Name: a", b"Content-Length: 1") + b"x",
    ],
)
async def test_what_asks_for_no_registered_upgrade_is_an_ordinary_request(request_):
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(request_)
        assert await answered(reader) == b"127.0.0.1 http"
        assert not shout.upgrades


async def test_http_2_is_spoken_by_prior_knowledge():
    async with serving() as shout, connected(shout.address) as (reader, writer):
        h2 = H2Connection(H2Configuration(client_side=True))
        h2.initiate_connection()
        headers = [(":method", "GET"), (":path", "/"), (":authority", "x"), (":scheme", "http")]
        h2.send_headers(1, headers, end_stream=True)
        writer.write(h2.data_to_send())
        events = []
        while not any(isinstance(event, DataReceived) for event in events):
            events += h2.receive_data(await reader.read(65536))


@pytest.mark.parametrize(
    "garbage", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nBad header\r\n\r\n", b"\0" * 100, b"A" * 20_000]
)
async def test_what_is_no_http_is_refused_and_closed(garbage):
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(garbage)
        with contextlib.suppress(ConnectionError):
            assert b" 4" in (await reader.read())[:20]


async def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(http, "HEAD_DEADLINE", 0.05)
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(b"GET / HT")
        assert await reader.read() == b""


async def test_an_idle_connection_is_kept_for_a_while(monkeypatch):
    monkeypatch.setattr(http, "KEEP_ALIVE", 0.05)
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(GET)
        await answered(reader)
        assert await reader.read() == b""


async def test_an_open_long_poll_does_not_hold_up_the_end():
    async with serving() as shout, connected(shout.address) as (_reader, writer):
        writer.write(GET.replace(b"/ ", b"/poll "))
        await until(lambda: any(not c._idle for c in shout.listener._site.connections))
        async with asyncio.timeout(1):
            await shout.listener.stop(0.1)
        assert not shout.listener._site.connections


async def test_a_client_that_leaves_ends_its_request():
    async with serving() as shout:
        async with connected(shout.address) as (_, writer):
            writer.write(GET.replace(b"/ ", b"/poll "))
            await asyncio.sleep(0.05)
        await until(lambda: not shout.listener._site.connections)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        ((), "192.0.2.7", "127.0.0.1"),
        (("127.0.0.0/8",), "192.0.2.7", "192.0.2.7"),
        (("127.0.0.0/8",), "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        (("127.0.0.0/8", "192.0.2.7"), "198.51.100.1, 192.0.2.7", "198.51.100.1"),
        (("127.0.0.0/8",), "nonsense", "127.0.0.1"),
        (("127.0.0.0/8",), "[2001:db8::1]:443", "2001:db8::1"),
    ],
)
async def test_a_trusted_proxy_names_the_client(proxies, forwarded, client):
    headers = f"X-Forwarded-For: {forwarded}\r\nX-Forwarded-Proto: https\r\n".encode()
    async with serving(trusted_proxies=proxies) as shout, connected(shout.address) as (reader, writer):
        writer.write(GET.replace(b"Host", headers + b"Host"))
        assert await answered(reader) == f"{client} {'https' if proxies else 'http'}".encode()
        writer.write(UPGRADE.replace(b"Host", headers + b"Host"))
        await reader.readuntil(b"\r\n\r\n")
        assert shout.upgrades[0].remote == client


def websocket(subprotocol):
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        "GET /echo?a=b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    ).encode()


def message(data):
    """One masked binary message, the mask all zero."""
    return bytes([0x82, 0x80 | len(data)]) + bytes(4) + data


async def test_a_websocket_with_the_token_is_the_same_upgrade():
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(websocket("shout"))
        assert b"sec-websocket-protocol: shout" in (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.write(message(b"he") + message(b"llo"))
        received = b""
        while len(received) < 5:
            head = await reader.readexactly(2)
            assert head[0] == 0x82
            received += await reader.readexactly(head[1])
        assert received == b"HELLO"
        (upgrade,) = shout.upgrades
        assert (upgrade.answered, upgrade.query) == (True, "a=b")
    await asyncio.wait_for(shout.lost.wait(), 5)


@pytest.mark.parametrize(("end", "code"), [("close", 1000), ("abort", 1008)])
async def test_a_websocket_ends_with_a_reason(end, code):
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(websocket("shout"))
        await reader.readuntil(b"\r\n\r\n")
        getattr(shout.transport, end)()
        assert await reader.readexactly(4) == b"\x88\x02" + code.to_bytes(2, "big")
    await asyncio.wait_for(shout.lost.wait(), 5)


async def test_another_websocket_is_the_apps():
    async with serving() as shout, connected(shout.address) as (reader, writer):
        writer.write(websocket("other"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403 ")
        assert not shout.upgrades
