"""TLS connections: what arrives and in which order, who waits for whom, and how they end."""

import asyncio
import contextlib
import itertools
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from hatsize.server.tls import build_context, self_signed
from hatsize.server.tls_handshake import shake_hands
from hatsize.server.tls_transport import TLSTransport

pytestmark = pytest.mark.anyio
READ, RECORD = 64 * 1024, 16 * 1024
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return build_context(self_signed(tmp_path_factory.mktemp("tls"), ["localhost"]))


class Notes:
    """A protocol that notes what it is told; `react` is called with what it receives."""

    def __init__(self, react=None):
        self.react = react
        self.calls = []
        self.told = []
        self.lost = asyncio.Event()

    @property
    def received(self):
        return b"".join(self.calls)

    def connection_made(self, transport):
        self.transport = transport

    def note(self, data):
        self.calls.append(data)
        if self.react:
            self.react(data)

    def eof_received(self):
        self.told.append("eof")

    def pause_writing(self):
        self.told.append("pause")

    def resume_writing(self):
        self.told.append("resume")

    def connection_lost(self, exc):
        self.told.append(exc)
        self.lost.set()

    async def ended(self):
        """How the connection was lost."""
        await asyncio.wait_for(self.lost.wait(), 5)
        return self.told[-1]


class Streamed(Notes, asyncio.Protocol):
    def data_received(self, data):
        self.note(data)


class Buffered(Notes, asyncio.BufferedProtocol):
    def __init__(self, react=None, room=READ):
        super().__init__(react)
        self.room = bytearray(room)

    def get_buffer(self, sizehint):
        return self.room

    def buffer_updated(self, nbytes):
        self.note(bytes(self.room[:nbytes]))


class Client:
    """The other end: TLS by hand, so that each byte's way is in the test's hands."""

    def __init__(self, sock, version=ssl.TLSVersion.TLSv1_3, alpn=("http/1.1",)):
        self.sock = sock
        self.sock.setblocking(False)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.minimum_version = client.maximum_version = version
        client.set_alpn_protocols(list(alpn))
        self.tls = client.wrap_bio(self.incoming, self.outgoing)

    async def shake_hands(self, piece=1 << 20, early=b""):
        """Shake hands, `piece` bytes at a time, and send `early` in one go with the end of it."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.flush(piece)
                await self.more()
            else:
                break
        if early:
            self.tls.write(early)
        await self.flush(piece)

    def encrypt(self, *messages):
        """Each message as a record of its own."""
        for message in messages:
            self.tls.write(message)
        return self.outgoing.read()

    async def send(self, *messages):
        await self.send_raw(self.encrypt(*messages))

    async def send_raw(self, data):
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def flush(self, piece=1 << 20):
        data = self.outgoing.read()
        for at in range(0, len(data), piece):
            await self.send_raw(data[at : at + piece])
            await turns(2)

    async def more(self):
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 1 << 16), 5)
        if not data:
            raise EOFError
        self.incoming.write(data)

    async def read(self, size):
        """So many bytes, or what there is until the server says that it sends no more."""
        data = b""
        while len(data) < size:
            try:
                got = self.tls.read(size - len(data))
            except ssl.SSLWantReadError:
                await self.more()
            else:
                if not got:
                    break
                data += got
        return data


async def turns(count=10):
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def connected(context, protocol, *, version=ssl.TLSVersion.TLSv1_3, shutdown=1.0, small=False, **handshake):
    """A client whose connection `protocol` serves. With `small` the sockets hold little."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setblocking(False)
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client = Client(theirs, version)
    shaking = asyncio.create_task(client.shake_hands(**handshake))
    records = await shake_hands(ours, context, within=5)
    await shaking
    transport = TLSTransport(ours, records, shutdown)
    transport.begin(protocol)
    try:
        yield client
    finally:
        transport.abort()
        client.sock.close()
        await protocol.ended()
        await turns(2)
        assert ours.fileno() == -1
        assert sum(isinstance(each, Exception | None) for each in protocol.told) == 1


@pytest.fixture
async def reports():
    """What the loop is told of as unexpected."""
    said = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: said.append(context))
    return said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [Streamed, Buffered])
async def test_bytes_go_both_ways(context, kind, version):
    protocol = kind()
    async with connected(context, protocol, version=version) as client:
        await client.send(b"one", b"two")
        await until(lambda: protocol.received == b"onetwo")
        protocol.transport.write(b"three")
        protocol.transport.writelines([bytearray(b"fo"), memoryview(b"ur")])
        assert await client.read(9) == b"threefour"


@pytest.mark.parametrize("kind", [Streamed, Buffered])
async def test_what_comes_right_behind_the_handshake_is_received(context, kind):
    protocol = kind()
    async with connected(context, protocol, early=b"early"):
        await until(lambda: protocol.received == b"early")


async def test_what_came_with_the_handshake_waits_for_who_pauses_at_once(context):
    class Slow(Streamed):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    client, protocol = Client(theirs), Slow()
    shaking = asyncio.create_task(shake_hands(ours, context, within=5))
    await client.shake_hands(early=b"early")
    TLSTransport(ours, await shaking, 1).begin(protocol)
    await turns()
    assert protocol.calls == []
    protocol.transport.resume_reading()
    await until(lambda: protocol.received == b"early")
    protocol.transport.abort()
    theirs.close()
    await protocol.ended()


@pytest.mark.parametrize("version", VERSIONS)
async def test_handshake_and_records_may_be_torn_at_every_byte(context, version):
    protocol = Buffered()
    async with connected(context, protocol, version=version, piece=1) as client:
        client.tls.write(b"a first message")
        client.tls.write(b"a second message")
        await client.flush(piece=1)
        await until(lambda: protocol.received == b"a first messagea second message")
        assert len(protocol.calls) == 2


@pytest.mark.parametrize("kind", [Streamed, Buffered])
async def test_after_so_many_records_it_is_the_others_turn(context, kind):
    happened = []

    def react(data):
        happened.append(len(data) // 10)
        asyncio.get_running_loop().call_soon(happened.append, "the others")

    protocol = kind(react)
    async with connected(context, protocol) as client:
        await client.send(*[b"0123456789"] * 100)
        await until(lambda: len(protocol.received) == 1000)
        await turns()
        assert happened == [16, "the others"] * 6 + [4, "the others"]


async def test_a_turn_that_is_over_when_the_protocol_pauses_goes_on_when_it_resumes(context):
    protocol = Buffered(lambda _: protocol.transport.pause_reading())
    async with connected(context, protocol) as client:
        await client.send(*[b"0123456789"] * 40)
        client.sock.shutdown(socket.SHUT_WR)
        await until(lambda: protocol.calls)
        await turns()
        assert len(protocol.received) == 160
        protocol.react = None
        protocol.transport.resume_reading()
        await until(lambda: "eof" in protocol.told)
        assert len(protocol.received) == 400


@pytest.mark.parametrize("kind", [Streamed, Buffered])
async def test_many_records_of_one_read_are_one_call(context, kind):
    protocol = kind()
    async with connected(context, protocol) as client:
        await client.send(*(b"%03d" % number for number in range(16)))
        await until(lambda: len(protocol.received) == 48)
        assert len(protocol.calls) == 1
        assert protocol.received == b"".join(b"%03d" % number for number in range(16))


@pytest.mark.parametrize("room", [1, 7, 16384])
async def test_buffers_may_be_smaller_than_records(context, room):
    protocol, sent = Buffered(room=room), bytes(range(250)) * 100
    async with connected(context, protocol) as client:
        await client.send(sent[:9000], sent[9000:])
        await until(lambda: len(protocol.received) == len(sent))
        assert protocol.received == sent


async def test_who_pauses_gets_nothing_until_it_resumes(context):
    protocol = Buffered(lambda _: protocol.transport.pause_reading(), room=3)
    async with connected(context, protocol) as client:
        await client.send(b"abcdef", b"ghi")
        for expected in (b"abc", b"abcdef", b"abcdefghi"):
            await until(lambda expected=expected: protocol.received == expected)
            await turns()
            assert protocol.received == expected
            assert not protocol.transport.is_reading()
            protocol.transport.resume_reading()
            protocol.transport.resume_reading()
            assert protocol.transport.is_reading()


async def test_a_peer_that_floods_who_does_not_read_has_to_wait(context):
    protocol = Streamed(lambda _: protocol.transport.pause_reading())
    async with connected(context, protocol) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.send(*[bytes(16000)] * 1000), 0.2)
        assert len(protocol.received) <= READ


async def test_no_more_is_read_while_something_waits_to_be_delivered(context):
    """A protocol that takes a little each time must not make the server hold ever more."""
    protocol = Buffered(lambda _: None, room=10)

    def sip(_):
        protocol.transport.pause_reading()
        protocol.transport.resume_reading()
        protocol.transport.pause_reading()
        asyncio.get_running_loop().call_soon(protocol.transport.resume_reading)

    protocol.react = sip
    async with connected(context, protocol) as client:
        flooding = asyncio.create_task(client.send(*[bytes(1000)] * 3000))
        await turns(500)
        assert protocol.transport._records.incoming.pending <= READ
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


async def test_who_takes_over_gets_what_the_former_was_not_given(context):
    second = Streamed()

    def hand_over(_):
        first.transport.set_protocol(second)
        second.connection_made(first.transport)

    first = Buffered(hand_over, room=4)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    client = Client(theirs)
    shaking = asyncio.create_task(client.shake_hands())
    transport = TLSTransport(ours, await shake_hands(ours, context, within=5), 1)
    await shaking
    transport.begin(first)
    await client.send(b"headbody", b"more")
    await until(lambda: second.received == b"bodymore")
    assert first.received == b"head"
    assert transport.get_protocol() is second
    theirs.close()
    assert await second.ended() is None
    assert not first.lost.is_set()


@pytest.mark.parametrize("kind", [Streamed, Buffered])
async def test_an_answer_may_be_written_as_the_question_arrives(context, kind):
    protocol = kind(lambda data: protocol.transport.write(data.upper()))
    async with connected(context, protocol) as client:
        for question in (b"one", b"two"):
            await client.send(question)
            assert await client.read(3) == question.upper()


async def test_one_reader_cannot_starve_the_others(context):
    """A connection gets one read's worth, and the loop goes round."""
    order = []
    flooded = Buffered(lambda data: order.append(len(data)), room=4 * READ)
    async with connected(context, flooded) as client:
        flooding = asyncio.create_task(client.send(*[bytes(16000)] * 100))
        while sum(order) < 1_600_000:
            order.append(0)
            await asyncio.sleep(0)
        await flooding
    between = [size for size, after in itertools.pairwise(order) if size and after]
    assert max(order) <= READ + RECORD
    assert not between


async def test_what_the_socket_does_not_take_waits_and_keeps_its_order(context):
    protocol, sent = Streamed(), bytes(range(256)) * 2000
    async with connected(context, protocol, small=True) as client:
        protocol.transport.set_write_buffer_limits(high=100_000, low=1000)
        assert protocol.transport.get_write_buffer_limits() == (1000, 100_000)
        for at in range(0, len(sent), 100_000):
            protocol.transport.write(sent[at : at + 100_000])
        assert protocol.told == ["pause"]
        assert protocol.transport.get_write_buffer_size() > 400_000
        assert await client.read(len(sent)) == sent
        await until(lambda: protocol.told == ["pause", "resume"])
        assert protocol.transport.get_write_buffer_size() == 0
        protocol.transport.write(b"again")
        assert await client.read(5) == b"again"


async def test_limits_are_what_asyncio_makes_of_them(context):
    protocol = Streamed()
    async with connected(context, protocol, small=True):
        transport = protocol.transport
        transport.set_write_buffer_limits(high=400)
        assert transport.get_write_buffer_limits() == (100, 400)
        transport.set_write_buffer_limits(low=400)
        assert transport.get_write_buffer_limits() == (400, 1600)
        transport.set_write_buffer_limits()
        assert transport.get_write_buffer_limits() == (128 * 1024, 512 * 1024)
        with pytest.raises(ValueError, match="high mark"):
            transport.set_write_buffer_limits(high=1, low=2)
        transport.write(bytes(300_000))
        assert protocol.told == []
        transport.set_write_buffer_limits(high=0)
        assert protocol.told == ["pause"]


async def test_what_may_not_be_written(context):
    protocol = Streamed()
    async with connected(context, protocol) as client:
        transport = protocol.transport
        transport.write(b"")
        await turns()
        with pytest.raises(BlockingIOError):
            client.sock.recv(1)
        assert not transport.can_write_eof()
        with pytest.raises(NotImplementedError):
            transport.write_eof()
        with pytest.raises(TypeError):
            transport.write("text")


async def test_closing_sends_what_is_left_and_says_that_it_is_the_end(context):
    protocol, sent = Streamed(), bytes(300_000)
    async with connected(context, protocol, small=True) as client:
        protocol.transport.write(sent)
        protocol.transport.close()
        protocol.transport.close()
        assert protocol.transport.is_closing()
        protocol.transport.write(b"ignored")
        assert await client.read(400_000) == sent
        with pytest.raises(EOFError):
            await client.more()
        assert not protocol.lost.is_set()
        client.sock.close()
        assert await protocol.ended() is None


async def test_closing_within_a_callback_ends_it_there(context):
    protocol = Buffered(lambda _: protocol.transport.close(), room=4)
    async with connected(context, protocol) as client:
        await client.send(b"lastnot this", b"nor this")
        assert await client.read(1) == b""
        client.sock.close()
        assert await protocol.ended() is None
        assert protocol.received == b"last"


async def test_a_peer_that_still_sends_loses_nothing_of_the_last_answer(context):
    """A socket that is closed with something unread takes back what was sent through it."""
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listening.getsockname())
    ours, _ = listening.accept()
    ours.setblocking(False)
    client, protocol = Client(theirs), Streamed(lambda _: protocol.transport.pause_reading())
    shaking = asyncio.create_task(client.shake_hands())
    transport = TLSTransport(ours, await shake_hands(ours, context, within=5), 1)
    await shaking
    transport.begin(protocol)
    await client.send(b"question")
    await until(lambda: protocol.received)
    sending = asyncio.create_task(client.send(*[bytes(16000)] * 20))
    await turns()
    transport.write(b"answer")
    transport.close()
    await sending
    await asyncio.sleep(0.05)
    assert await client.read(100) == b"answer"
    theirs.close()
    listening.close()
    assert await protocol.ended() is None


async def test_a_peer_that_does_not_read_the_rest_is_cut_off(context):
    protocol = Streamed()
    async with connected(context, protocol, small=True, shutdown=0.05):
        protocol.transport.write(bytes(300_000))
        protocol.transport.close()
        assert isinstance(await protocol.ended(), TimeoutError)


async def test_a_peer_that_does_not_end_has_been_sent_everything(context):
    protocol = Streamed()
    async with connected(context, protocol, shutdown=0.05):
        protocol.transport.close()
        assert await protocol.ended() is None


async def test_aborting_ends_it_now(context):
    protocol = Streamed()
    async with connected(context, protocol, small=True) as client:
        protocol.transport.write(bytes(300_000))
        protocol.transport.abort()
        protocol.transport.abort()
        protocol.transport.close()
        assert not protocol.lost.is_set()
        assert await protocol.ended() is None
        with pytest.raises(EOFError):
            await client.read(300_000)


async def test_nothing_of_a_lost_connection_stays_in_the_loop(context):
    protocol, loop = Streamed(), asyncio.get_running_loop()
    async with connected(context, protocol, small=True):
        number = protocol.transport.get_extra_info("socket").fileno()
        protocol.transport.write(bytes(300_000))
        protocol.transport.abort()
        assert not loop.remove_reader(number)
        assert not loop.remove_writer(number)
        await protocol.ended()
        protocol.transport.resume_reading()
        protocol.transport.pause_reading()
        protocol.transport.write(b"ignored")
        protocol.transport.close()
        assert not protocol.transport.is_reading()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["said", "unsaid"])
async def test_the_peers_end_is_told_and_answered(context, how, version):
    class Polite(Streamed):
        def eof_received(self):
            super().eof_received()
            self.transport.write(b"goodbye")

    protocol = Polite()
    async with connected(context, protocol, version=version) as client:
        last = client.encrypt(b"the last")
        if how == "said":
            with contextlib.suppress(ssl.SSLWantReadError):
                client.tls.unwrap()
            last += client.outgoing.read()
        await client.send_raw(last)
        client.sock.shutdown(socket.SHUT_WR)
        assert await protocol.ended() is None
        assert protocol.told == ["eof", None]
        assert protocol.received == b"the last"
        await client.more()
        assert client.incoming.pending > len(b"goodbye")


async def test_a_peer_that_ends_and_does_not_read_keeps_nothing_busy(context):
    protocol = Streamed()
    async with connected(context, protocol, small=True, shutdown=0.3) as client:
        protocol.transport.write(bytes(300_000))
        client.sock.shutdown(socket.SHUT_WR)
        began = time.process_time()
        assert isinstance(await protocol.ended(), TimeoutError)
        assert time.process_time() - began < 0.15


async def test_a_broken_connection_is_lost_with_its_error(context):
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listening.getsockname())
    ours, _ = listening.accept()
    ours.setblocking(False)
    client, protocol = Client(theirs), Streamed()
    shaking = asyncio.create_task(client.shake_hands())
    records = await shake_hands(ours, context, within=5)
    await shaking
    TLSTransport(ours, records, 1).begin(protocol)
    await turns()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    listening.close()
    assert isinstance(await protocol.ended(), ConnectionResetError)
    assert protocol.told == [protocol.told[0]]


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_no_tls_ends_it_quietly_and_after_what_was(context, version, reports):
    protocol = Streamed()
    async with connected(context, protocol, version=version) as client:
        good, bad = client.encrypt(b"good"), bytearray(client.encrypt(b"tampered"))
        bad[-1] ^= 1
        await client.send_raw(good + bad)
        assert isinstance(await protocol.ended(), ssl.SSLError)
        assert protocol.received == b"good"
        assert reports == []
        with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
            await client.read(1)


async def test_a_protocol_that_fails_costs_its_connection_and_is_reported(context, reports):
    def fail(*_):
        raise LookupError("lost")

    for kind, name in (
        (Streamed, "data_received"),
        (Buffered, "buffer_updated"),
        (Buffered, "get_buffer"),
        (Streamed, "connection_made"),
        (Streamed, "eof_received"),
        (Streamed, "pause_writing"),
    ):
        reports.clear()
        protocol = kind()
        setattr(protocol, name, fail)
        async with connected(context, protocol, small=True) as client:
            if name == "pause_writing":
                protocol.transport.write(bytes(1_000_000))
            elif name == "eof_received":
                client.sock.shutdown(socket.SHUT_WR)
            elif name != "connection_made":
                await client.send(b"anything")
            assert isinstance(await protocol.ended(), LookupError), name
        assert [report["protocol"] for report in reports] == [protocol], name
        assert isinstance(reports[0]["exception"], LookupError)


async def test_an_empty_buffer_is_a_failure_too(context, reports):
    protocol = Buffered(room=0)
    async with connected(context, protocol) as client:
        await client.send(b"anything")
        assert isinstance(await protocol.ended(), RuntimeError)
        assert len(reports) == 1


async def test_what_can_be_asked_of_a_connection(context):
    protocol = Streamed()
    async with connected(context, protocol) as client:
        ask = protocol.transport.get_extra_info
        assert ask("peername") == client.sock.getsockname()
        assert ask("sockname") == client.sock.getpeername()
        assert ask("socket").family == socket.AF_UNIX
        assert ask("ssl_object").selected_alpn_protocol() == "http/1.1"
        assert ask("ssl_object").version() == "TLSv1.3"
        assert ask("sslcontext") is context
        assert ask("cipher") == client.tls.cipher()
        assert (ask("compression"), ask("peercert")) == (None, None)
        assert ask("unheard of", "nothing") == "nothing"


async def test_a_handshake_that_fails_is_told_why_and_closed(context):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.send(b"\x16\x03\x01\x00\x08nonsense")
    with pytest.raises(ssl.SSLError):
        await shake_hands(ours, context, within=5)
    assert ours.fileno() == -1
    assert theirs.recv(100)[0] == 0x15
    theirs.close()


async def test_a_handshake_has_its_time(context):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with pytest.raises(TimeoutError):
        await shake_hands(ours, context, within=0.02)
    assert ours.fileno() == -1
    theirs.close()


async def test_a_handshake_may_be_left_by_either_side(context):
    for leave in ("client", "server"):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        shaking = asyncio.create_task(shake_hands(ours, context, within=5))
        await turns()
        if leave == "client":
            theirs.shutdown(socket.SHUT_WR)
        else:
            shaking.cancel()
        (outcome,) = await asyncio.gather(shaking, return_exceptions=True)
        assert isinstance(outcome, ConnectionResetError if leave == "client" else asyncio.CancelledError)
        assert ours.fileno() == -1
        theirs.close()


def openssl_client(address, *options, command):
    """What OpenSSL's client says that goes over the wire, when it is given its command between two greetings."""
    call = ["openssl", "s_client", "-connect", "{}:{}".format(*address), "-msg", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    heard = []
    with subprocess.Popen(call, bufsize=0, **pipes) as process:
        watch = threading.Timer(10, process.kill)
        watch.start()
        for line in (b"hello\n", command, b"hello\n", command, b"Q\n"):
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(line)
            while line == b"hello\n" and heard[-1:] not in ([b"HELLO\n"], [b""]):
                heard.append(process.stdout.readline())
            heard.append(line)
            time.sleep(0.05)
        heard.append(process.stdout.read())
        watch.cancel()
    return b"".join(heard)


@contextlib.asynccontextmanager
async def serving_openssl(context, protocol, *options, command):
    """What the client heard, once it is there; OpenSSL's takes commands."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        talking = asyncio.create_task(asyncio.to_thread(openssl_client, address, *options, command=command))
        ours, _ = await asyncio.to_thread(listening.accept)
    ours.setblocking(False)
    TLSTransport(ours, await shake_hands(ours, context, within=5), 1).begin(protocol)
    yield talking
    protocol.transport.abort()
    await protocol.ended()


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@needs_openssl
async def test_keys_are_updated_when_the_peer_asks(context):
    protocol = Streamed(lambda data: protocol.transport.write(data.upper()))
    async with serving_openssl(context, protocol, command=b"K\n") as talking:
        heard = await talking
        assert protocol.received == b"hello\n" * 2
        assert heard.count(b">>> TLS 1.3, Handshake [length 0005], KeyUpdate") == 2
        # OpenSSL answers with the next record that is written.
        assert heard.count(b"<<< TLS 1.3, Handshake [length 0005], KeyUpdate") == 1
        assert await protocol.ended() is None


@needs_openssl
async def test_nobody_renegotiates_and_that_is_said_at_once(context):
    protocol = Streamed(lambda data: protocol.transport.write(data.upper()))
    async with serving_openssl(context, protocol, "-tls1_2", command=b"R\n") as talking:
        assert b"warning no_renegotiation" in await talking


@given(
    messages=st.lists(st.integers(1, 40_000), min_size=1, max_size=12),
    pieces=st.lists(st.integers(1, 30_000), min_size=1, max_size=8),
    rooms=st.lists(st.integers(1, 20_000), min_size=1, max_size=5),
    pauses=st.lists(st.booleans(), min_size=1, max_size=7),
)
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_any_pieces_rooms_and_pauses_give_the_same_stream(context, run, messages, pieces, rooms, pauses):
    """What arrives is sent back, and everything comes back in order."""
    sent = [bytes([number % 256]) * size for number, size in enumerate(messages)]
    turn = 0

    class Restless(Buffered):
        def get_buffer(self, sizehint):
            self.room = bytearray(max(rooms[turn % len(rooms)], 64))
            return self.room

    def react(data):
        nonlocal turn
        turn += 1
        protocol.transport.write(data)
        if pauses[turn % len(pauses)]:
            protocol.transport.pause_reading()
            asyncio.get_running_loop().call_soon(protocol.transport.resume_reading)

    async def scene():
        async with connected(context, protocol, small=True) as client:
            raw = client.encrypt(*sent)

            async def send():
                at = step = 0
                while at < len(raw):
                    await client.send_raw(raw[at : at + pieces[step % len(pieces)]])
                    at += pieces[step % len(pieces)]
                    step += 1

            sending = asyncio.create_task(send())
            assert await client.read(sum(messages)) == b"".join(sent)
            await sending

    protocol = Restless(react)
    run(scene())
