"""The tunnel as a client sees it: handshake, requests, streams, and everything that must not end it for others."""

import asyncio
import base64
import contextlib
import logging
from urllib.parse import urlencode

import pytest
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset

from hatsize.control import tunnel_h2, tunnel_stream
from hatsize.control.tunnel import PATH, UPGRADE, Tunnel
from hatsize.server.listener import Listener
from hatsize.wire.early import split_early
from hatsize.wire.keys import PrivateKey, machine_key
from hatsize.wire.noise import Initiator, NoiseError
from hatsize.wire.records import Opener, Sealer
from hatsize.wire.upgrade import Upgrade

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


KEY = PrivateKey.generate()
MACHINE = PrivateKey.generate()
INITIATION = Initiator(MACHINE, KEY.public, 113).message


class App:
    """An inner app whose routes misbehave in every way."""

    def __init__(self):
        self.sinks = []
        self.entered = asyncio.Event()

    async def __call__(self, scope, receive, send):
        body = (await receive())["body"]
        await getattr(self, scope["path"].strip("/"))(scope, body, receive, send)

    async def answer(self, send, body, status=200):
        await send({"type": "http.response.start", "status": status, "headers": [(b"Content-Type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    async def echo(self, scope, body, receive, send):
        await self.answer(send, scope["method"].encode() + b" " + body)

    async def who(self, scope, body, receive, send):
        state = scope["state"]
        await self.answer(send, f"{state['machine_key']} {state['cap_version']} {scope['client'][0]}".encode())

    async def big(self, scope, body, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(int(body)):
            await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def poll(self, scope, body, receive, send):
        self.sinks.append(scope["extensions"]["hatsize.sink"]())
        await self.answer(send, b"dropped")

    async def hang(self, scope, body, receive, send):
        self.entered.set()
        assert (await receive())["type"] == "http.disconnect"
        self.entered.clear()

    async def fail(self, scope, body, receive, send):
        raise RuntimeError("a bug")

    async def fail_late(self, scope, body, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("a bug")

    async def silent(self, scope, body, receive, send):
        return


class Client:
    """Speaks HTTP/2 inside Noise over asyncio streams."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.statuses, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.terminated = None
        self.acknowledge = True

    @classmethod
    async def connect(cls, address, *, speak=True):
        reader, writer = await asyncio.open_connection(*address)
        client = cls(reader, writer)
        handshake = Initiator(MACHINE, KEY.public, 113)
        writer.write(request(handshake.message))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        done = None
        while done is None:
            data = await reader.read(65536)
            assert data
            done = handshake.receive(data)
        keys, rest = done
        client.sealer, client.opener = Sealer(keys.send), Opener(keys.receive)
        plain = client.opener.receive(rest)
        while (split := split_early(plain)) is None:
            plain += client.opener.receive(await reader.read(65536))
        client.early, plain = split
        if not speak:
            return client
        client.h2.initiate_connection()
        client.take(plain)
        client.flush()
        return client

    def flush(self):
        self.writer.write(self.sealer.seal(self.h2.data_to_send()))

    def send(self, path, body=b"", method="POST", *, end=True):
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":path", path), (":authority", "unused"), (":scheme", "https")]
        self.h2.send_headers(stream, headers, end_stream=end and not body)
        while body:
            self.h2.send_data(stream, body[:16384], end_stream=end and len(body) <= 16384)
            body = body[16384:]
        self.flush()
        return stream

    def take(self, plain):
        for event in self.h2.receive_data(plain):
            if isinstance(event, ResponseReceived):
                self.statuses[event.stream_id] = int(dict(event.headers)[":status"])
            elif isinstance(event, DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                if self.acknowledge:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, StreamReset):
                self.resets[event.stream_id] = event.error_code
            elif isinstance(event, ConnectionTerminated):
                self.terminated = event.error_code

    async def until(self, condition):
        while not condition():
            async with asyncio.timeout(5):
                data = await self.reader.read(65536)
            assert data, "the server closed the connection"
            self.take(self.opener.receive(data))
            self.flush()

    async def ask(self, path, body=b"", method="POST"):
        stream = self.send(path, body, method)
        await self.until(lambda: stream in self.ended or stream in self.resets)
        return self.statuses.get(stream), self.bodies.get(stream, b"")

    async def closed(self):
        """Whether the server ends the connection."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                while data := await self.reader.read(65536):
                    plain = self.opener.receive(data)
                    if self.h2.state_machine.state is not ConnectionState.IDLE:
                        self.take(plain)
        return True


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def request(message, path=PATH):
    handshake = base64.b64encode(message).decode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nUpgrade: {UPGRADE}\r\nConnection: upgrade\r\n"
        f"X-Tailscale-Handshake: {handshake}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@pytest.fixture
async def served(anyio_backend):
    app = App()
    tunnel = Tunnel(KEY, app)
    listener = Listener(app, {(PATH, UPGRADE): tunnel})
    await listener.start("127.0.0.1", 0)
    app.tunnel, app.address = tunnel, listener.sockets[0].getsockname()
    yield app
    await tunnel.close()
    await listener.stop(0.1)


@pytest.fixture
async def client(served):
    made = await Client.connect(served.address)
    yield made
    made.writer.close()


async def test_the_first_thing_said_is_a_challenge(client):
    assert client.early.NodeKeyChallenge.startswith("chalpub:")


async def test_a_request_is_answered(client):
    assert await client.ask("/echo", b"hello") == (200, b"POST hello")


async def test_a_get_may_have_a_body(client):
    assert await client.ask("/echo", b"{}", "GET") == (200, b"GET {}")


async def test_the_app_learns_the_machine_its_version_and_address(client):
    who = f"{machine_key(MACHINE.public)} 113 127.0.0.1"
    assert await client.ask("/who") == (200, who.encode())


async def test_more_bytes_than_the_windows_hold_arrive(client):
    status, body = await client.ask("/big", b"48")
    assert (status, len(body)) == (200, 48 << 16)


async def test_a_peer_that_opens_no_window_gets_its_window_and_no_more(client):
    client.acknowledge = False
    stream = client.send("/big", b"48")
    await client.until(lambda: len(client.bodies.get(stream, b"")) == 65535)
    assert stream not in client.ended


async def test_a_sink_answers_at_once_and_then_whenever_it_is_written(served, client):
    stream = client.send("/poll")
    await client.until(lambda: stream in client.statuses)
    for message in (b"one", b"two"):
        assert served.sinks[0].write(message)
    await client.until(lambda: client.bodies.get(stream) == b"onetwo")
    assert stream not in client.ended
    served.sinks[0].close()
    await client.until(lambda: stream in client.ended)
    assert served.sinks[0].closed


@pytest.mark.parametrize("path", ["/poll", "/echo"])
async def test_a_client_is_at_the_door_until_it_has_a_stream_or_is_gone(served, client, path):
    stream = client.send(path)
    await client.until(lambda: stream in client.statuses)
    assert len(served.tunnel.door) == (path == "/echo")
    client.writer.close()
    await until(lambda: not served.tunnel.connections)
    assert len(served.tunnel.door) == 0


async def test_a_full_sink_says_so_and_when_it_is_not(served, client):
    writable = asyncio.Event()
    stream = client.send("/poll")
    await client.until(lambda: stream in client.statuses)
    sink = served.sinks[0]
    sink.on_writable = writable.set
    assert not sink.write(bytes(300_000))
    await client.until(writable.is_set)
    await client.until(lambda: len(client.bodies[stream]) == 300_000)
    assert sink.write(b"more")
    assert sink.remote == "127.0.0.1"


async def test_a_sink_that_is_closed_while_full_sends_the_rest_first(served, client):
    stream = client.send("/poll")
    await client.until(lambda: stream in client.statuses)
    served.sinks[0].write(bytes(300_000))
    served.sinks[0].close()
    await client.until(lambda: stream in client.ended)
    assert len(client.bodies[stream]) == 300_000


@pytest.mark.parametrize("how", ["reset", "disconnect"])
async def test_a_sink_is_told_once_that_its_client_went_away(served, client, how):
    told = []
    stream = client.send("/poll")
    await client.until(lambda: stream in client.statuses)
    served.sinks[0].on_close = lambda: told.append(how)
    if how == "reset":
        client.h2.reset_stream(stream)
        client.flush()
        await client.ask("/echo")
    client.writer.close()
    await until(lambda: not served.tunnel.connections)
    assert told == [how]
    assert served.sinks[0].closed
    assert not served.sinks[0].write(b"nobody listens")


async def test_what_the_machine_writes_past_h2_is_what_h2_counts(served, client):
    stream = client.send("/poll")
    await client.until(lambda: stream in client.statuses)
    (connection,) = served.tunnel.connections
    before = connection._h2.local_flow_control_window(stream)
    served.sinks[0].write(bytes(1000))
    assert connection._h2.local_flow_control_window(stream) == before - 1000


async def test_a_stream_that_hangs_or_fails_does_not_hold_up_the_others(served, client, caplog):
    client.send("/hang")
    assert await client.ask("/fail") == (500, b"internal error\n")
    assert await client.ask("/silent") == (500, b"internal error\n")
    late = client.send("/fail_late")
    await client.until(lambda: late in client.resets)
    assert await client.ask("/echo", b"x") == (200, b"POST x")
    assert "a bug" in caplog.text


async def test_a_handler_is_told_when_its_client_goes_away(served, client):
    stream = client.send("/hang")
    await client.until(served.entered.is_set) if served.entered.is_set() else await served.entered.wait()
    client.h2.reset_stream(stream)
    assert await client.ask("/echo") == (200, b"POST ")
    await asyncio.sleep(0)
    assert not served.entered.is_set()


async def test_a_request_that_is_too_long_is_refused_and_no_other(client, monkeypatch):
    monkeypatch.setattr(tunnel_stream, "MAX_BODY", 20_000)
    assert (await client.ask("/echo", bytes(20_001)))[0] == 413
    assert (await client.ask("/echo", bytes(20_000)))[0] == 200


async def test_all_unfinished_requests_together_are_bounded(client, monkeypatch):
    monkeypatch.setattr(tunnel_h2, "MAX_BODIES", 25_000)
    first = client.send("/echo", bytes(16_000), end=False)
    assert (await client.ask("/echo", bytes(10_000)))[0] == 413
    client.h2.end_stream(first)
    client.flush()
    await client.until(lambda: first in client.ended)
    assert client.statuses[first] == 200
    assert (await client.ask("/echo", bytes(10_000)))[0] == 200


async def test_a_path_that_is_none_is_refused(client):
    assert (await client.ask("*", method="OPTIONS"))[0] == 400


async def test_resetting_streams_rapidly_ends_the_connection(client, monkeypatch):
    monkeypatch.setattr(tunnel_h2, "_CONTROL_FRAMES", 10)
    for _ in range(20):
        client.h2.reset_stream(client.send("/echo", end=False))
    client.flush()
    assert await client.closed()
    assert client.terminated == ErrorCodes.ENHANCE_YOUR_CALM


async def test_flooding_settings_ends_the_connection(client, monkeypatch):
    monkeypatch.setattr(tunnel_h2, "_CONTROL_FRAMES", 10)
    for size in range(20):
        client.h2.update_settings({4: 65535 + size})
        client.flush()
    assert await client.closed()


async def test_thousands_of_requests_do_not_wear_a_connection_out(client):
    for _ in range(1500):
        assert (await client.ask("/echo"))[0] == 200
    assert client.terminated is None


@pytest.mark.parametrize("smuggled", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(100)])
async def test_what_is_not_http_2_inside_ends_the_connection_with_a_word_in_the_log(served, smuggled, caplog):
    caplog.set_level(logging.WARNING)
    client = await Client.connect(served.address, speak=False)
    client.writer.write(client.sealer.seal(smuggled))
    assert await client.closed()
    assert "closed the tunnel of 127.0.0.1" in caplog.text
    client.writer.close()


async def test_a_frame_that_is_too_long_ends_the_connection_before_it_is_whole(client):
    client.writer.write(client.sealer.seal(b"\xff\xff\xff" + bytes(20_000)))
    assert await client.closed()


async def test_a_record_that_does_not_decrypt_ends_the_connection(served, client):
    client.writer.write(b"\x04\x00\x20" + bytes(32))
    assert await client.closed()


async def test_whoever_never_speaks_http_2_is_closed(served, monkeypatch):
    monkeypatch.setattr(tunnel_h2, "PREFACE_DEADLINE", 0.05)
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(request(Initiator(MACHINE, KEY.public, 113).message))
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            await reader.read()
    writer.close()


async def test_whoever_reads_nothing_is_closed_and_costs_no_memory(served, monkeypatch):
    monkeypatch.setattr(tunnel_h2, "WRITE_DEADLINE", 0.05)
    client = await Client.connect(served.address)
    client.h2.increment_flow_control_window(1 << 30)
    stream = client.send("/poll", end=False)
    client.h2.increment_flow_control_window(1 << 30, stream)
    client.h2.end_stream(stream)
    client.flush()
    await client.until(lambda: stream in client.statuses)
    client.writer.transport.pause_reading()
    await until(lambda: not served.sinks[0].write(bytes(1 << 20)))
    (connection,) = served.tunnel.connections
    assert connection._transport.get_write_buffer_size() < 1 << 20
    await until(lambda: not served.tunnel.connections)
    assert served.sinks[0].closed
    client.writer.close()


async def test_an_old_client_is_told_to_update(served):
    reader, writer = await asyncio.open_connection(*served.address)
    handshake = Initiator(MACHINE, KEY.public, 106)
    writer.write(request(handshake.message))
    answer = (await reader.read()).partition(b"\r\n\r\n")[2]
    with pytest.raises(NoiseError, match=r"Tailscale 1.76 is too old"):
        handshake.receive(answer)
    writer.close()


@pytest.mark.parametrize(
    "message",
    [b"", b"short", Initiator(MACHINE, KEY.public, 113).message[:-1], Initiator(MACHINE, MACHINE.public, 113).message],
    ids=["nothing", "too short", "cut off", "for another server"],
)
async def test_what_is_no_handshake_is_a_bad_request(served, message):
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(request(message))
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_handshake_that_is_no_base64_is_a_bad_request(served):
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(request(b"").replace(b"Handshake: ", b"Handshake: !!"))
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_closing_the_tunnel_ends_its_connections(served, client):
    await served.tunnel.close()
    assert await client.closed()


class Recorder(asyncio.Transport):
    """A transport that notes what happens to it."""

    def __init__(self):
        super().__init__()
        self.written, self.ended = b"", ""

    def write(self, data):
        self.written += data

    def close(self):
        self.ended = "close"

    def abort(self):
        self.ended = "abort"

    def is_closing(self):
        return bool(self.ended)

    def set_protocol(self, protocol):
        self.protocol = protocol

    def set_write_buffer_limits(self, high=None, low=None):
        pass


def websocket_upgrade(message):
    query = urlencode({"X-Tailscale-Handshake": base64.b64encode(message).decode()})
    return Upgrade(method="GET", path=PATH, query=query, headers={}, transport=Recorder(), answered=True)


async def test_a_websocket_gets_the_response_and_no_early_payload():
    tunnel, handshake = Tunnel(KEY, App()), Initiator(MACHINE, KEY.public, 113)
    upgrade = websocket_upgrade(handshake.message)
    tunnel(upgrade)
    keys, rest = handshake.receive(upgrade.transport.written)
    assert split_early(Opener(keys.receive).receive(rest))[0] is None
    upgrade.transport.protocol.connection_lost(None)
    assert not tunnel.connections


async def test_a_websocket_with_a_bad_handshake_breaks_the_policy():
    upgrade = websocket_upgrade(b"short")
    Tunnel(KEY, App())(upgrade)
    assert (upgrade.transport.ended, upgrade.transport.written) == ("abort", b"")


async def test_bytes_behind_the_requests_head_belong_to_the_tunnel(served):
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(request(INITIATION) + b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert b"101 Switching" in await reader.read()
    writer.close()


async def test_a_sink_taken_too_late_is_told_so():
    told = asyncio.Event()

    class Late(App):
        async def late(self, scope, body, receive, send):
            assert (await receive())["type"] == "http.disconnect"
            sink = scope["extensions"]["hatsize.sink"]()
            sink.on_close = told.set
            assert sink.closed

    app = Late()
    tunnel = Tunnel(KEY, app)
    listener = Listener(app, {(PATH, UPGRADE): tunnel})
    await listener.start("127.0.0.1", 0)
    client = await Client.connect(listener.sockets[0].getsockname())
    client.h2.reset_stream(client.send("/late"))
    client.flush()
    async with asyncio.timeout(5):
        await told.wait()
    client.writer.close()
    await tunnel.close()
    await listener.stop(0.1)
