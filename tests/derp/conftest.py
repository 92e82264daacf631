"""A stage for the relay's core, and relays that listen.

On the stage: actors with names, bytes through real splitters, a clock the test moves. Listening: raw DERP clients over
real connections.
"""

import asyncio
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hatsize.derp.client import Client
from hatsize.derp.limits import Limits
from hatsize.derp.relay import Relay
from hatsize.derp.server import DerpServer
from hatsize.server.listener import Listener
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.handshake import ClientInfo, client_info
from hatsize.wire.derp.splitter import Buffer, FrameError, Splitter
from hatsize.wire.keys import PrivateKey
from hatsize.wire.upgrade import Upgrade

DISCO = frames.DISCO_MAGIC + bytes(56)


def key_of(name):
    return name.encode().ljust(32, b"_")


def name_of(key):
    return key.rstrip(b"_").decode()


class Recorder:
    """A sink that keeps what it is given; a slow one never sends it on."""

    def __init__(self):
        self.written = bytearray()
        self.writes = 0
        self.waiting = 0
        self.slow = False
        self.paused_for = None
        self.closed = False

    def write(self, data):
        self.written += data
        self.writes += 1
        self.waiting += len(data) * self.slow

    def pending(self):
        return self.waiting

    def pause(self, seconds):
        self.paused_for = seconds

    def close(self):
        self.closed = True


class Actor:
    """A client on the stage. `sends` gives the relay bytes, `gets` says in words what came since the last time."""

    def __init__(self, relay, name, buffer, **traits):
        self.relay, self.name, self.sink = relay, name, Recorder()
        self.client = Client(key_of(name), self.sink, address="192.0.2.1", port=41641)
        for trait, value in traits.items():
            setattr(self.client, trait, value)
        self.splitter = Splitter(buffer)
        self.splitter.source, self.splitter.mesh = self.client.key, self.client.mesh
        self.buffer = buffer
        relay.register(self.client)

    def sends(self, *sent):
        data = b"".join(sent)
        try:
            room = self.splitter.lend()
            room[: len(data)] = data
            self.relay.receive(self.client, self.buffer.data, *self.splitter.split(len(data)))
        except FrameError:
            self.leaves()
            raise

    def packet(self, to, data=b"hello"):
        self.sends(frames.send_packet(key_of(to), data))

    def leaves(self):
        self.relay.unregister(self.client)

    def gets(self):
        data, self.sink.written = bytes(self.sink.written), bytearray()
        heard, at = [], 0
        while at < len(data):
            kind, length = struct.unpack_from(">BI", data, at)
            heard.append(self._in_words(FrameType(kind), data[at + 5 : at + 5 + length]))
            at += 5 + length
        return heard

    @staticmethod
    def _in_words(kind, payload):
        match kind:
            case FrameType.RECV_PACKET:
                return f"{name_of(payload[:32])}: {payload[32:].decode(errors='replace')}"
            case FrameType.PEER_GONE:
                return f"{name_of(payload[:32])} gone: {frames.GoneReason(payload[32]).name}"
            case FrameType.PEER_PRESENT:
                return f"{name_of(payload[:32])} present: {frames.PresentFlags(payload[50])!s}"
            case FrameType.PING | FrameType.PONG:
                return f"{kind.name} {payload.decode()}"
            case FrameType.RESTARTING:
                return "restarting: {} {}".format(*struct.unpack(">II", payload))
        return kind.name


class Link:
    """A mesh link that keeps what it is to forward."""

    def __init__(self):
        self.frames = []
        self.full = False

    def forward(self, data):
        if not self.full:
            self.frames.append(data)
        return not self.full


class Stage:
    """A relay, its clock and its actors."""

    key_of = staticmethod(key_of)
    Link = Link
    disco = DISCO

    def __init__(self):
        self.now = 1000.0
        self.buffer = Buffer()
        self.open()

    def open(self, **limits):
        self.relay = Relay(key_of("relay"), Limits(**limits), clock=lambda: self.now, jitter=lambda: 0.0)
        return self

    @property
    def counters(self):
        return self.relay.counters

    def connect(self, name, **traits):
        return Actor(self.relay, name, self.buffer, **traits)

    def cast(self, *names):
        return [self.connect(name) for name in names]

    def wait(self, seconds):
        for _ in range(int(seconds)):
            self.now += 1
            self.relay.tick()


@pytest.fixture
def stage():
    return Stage()


class RawClient:
    """A DERP client over a real connection, frame by frame."""

    def __init__(self, private, server_key, reader, writer, head=""):
        self.private, self.server_key, self.head = private, server_key, head
        self.key = private.public
        self.reader, self.writer = reader, writer

    @classmethod
    async def dial(cls, port, private, *, context=None, fast_start=False, lazy=False):
        sock = socket.socket()
        if lazy:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            raise
        limit = 1024 if lazy else 1 << 20
        host = "localhost" if context else None
        reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=host, limit=limit)
        fast = "Derp-Fast-Start: 1\r\n" if fast_start else ""
        writer.write(
            f"GET /derp HTTP/1.1\r\nHost: relay\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n{fast}\r\n".encode()
        )
        head = "" if fast_start else (await reader.readuntil(b"\r\n\r\n")).decode()
        client = cls(private, b"", reader, writer, head)
        client.server_key = (await client.read())[1][8:40]
        return client

    def introduction(self, info):
        return client_info(self.private, self.server_key, info)

    async def login(self, info):
        await self.send(self.introduction(info))
        assert (await self.read())[0] == FrameType.SERVER_INFO

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def read(self):
        async with asyncio.timeout(5):
            kind, length = struct.unpack(">BI", await self.reader.readexactly(5))
            return kind, await self.reader.readexactly(length)

    async def packet(self):
        while True:
            kind, payload = await self.read()
            if kind == FrameType.RECV_PACKET:
                return payload[:32], payload[32:]

    async def ended(self):
        """Whether the relay ends the connection, at once or soon."""
        async with asyncio.timeout(5):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
        return True

    def close(self):
        self.writer.transport.abort()


class Head(asyncio.Protocol):
    """The smallest listener: reads a request's head and hands the connection over."""

    def __init__(self, server):
        self.server, self.received = server, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        head, found, trailing = self.received.partition(b"\r\n\r\n")
        if found:
            lines = (line.partition(":") for line in head.decode().split("\r\n")[1:])
            headers = {name.lower(): value.strip() for name, _, value in lines}
            self.server.take(Upgrade("GET", "/derp", "", headers, self.transport, trailing, remote="127.0.0.1"))


async def no_pages(scope, receive, send):
    """The app of a listener that is there for the relay alone."""


class OpenRelay:
    """A relay that listens on a port of its own, and the clients dialled to it."""

    def __init__(self, server, listener, certificate):
        self.server, self.listener, self.certificate = server, listener, certificate
        self.port = listener.sockets[0].getsockname()[1]
        self.clients = []

    async def dial(self, private=None, *, login=True, info=None, **how):
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = await RawClient.dial(self.port, private or PrivateKey.generate(), context=context, **how)
        self.clients.append(client)
        if login:
            await client.login(info or ClientInfo(version=2))
        return client

    async def kill(self):
        """End all at once, as a crash does: nobody is told."""
        await self.listener.stop(0)
        for connection in list(self.server._connections):
            connection.close()
        await asyncio.sleep(0.01)

    async def close(self):
        await self.listener.stop(0)
        await self.server.close(grace=0)
        for client in self.clients:
            client.close()
        await asyncio.sleep(0.01)


@pytest.fixture
async def open_relay():
    """Opens relays that are closed after the test."""
    opened = []

    async def open_one(limits=None, *, certificate=None, private=None, port=0, path=None, **how):
        server = DerpServer(private or PrivateKey.generate(), limits, **how)
        if path:
            loop = asyncio.get_running_loop()
            opened.append(await loop.create_unix_server(lambda: Head(server), path))
        listener = Listener(no_pages, {("/derp", "DERP"): server.take}, certificate)
        await listener.start("127.0.0.1", port)
        relay = OpenRelay(server, listener, certificate)
        opened.append(relay)
        return relay

    yield open_one
    for each in opened:
        closing = each.close()
        if closing is not None:
            await closing


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """TLS for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "127.0.0.1.crt"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem))
    path.with_suffix(".key").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    context.path = path
    context.trusting = lambda: ssl.create_default_context(cafile=path)
    return context


@pytest.fixture
async def dial():
    """Dials a port; the clients are closed after the test."""
    dialled = []

    async def dial_one(port, private=None, **how):
        dialled.append(await RawClient.dial(port, private or PrivateKey.generate(), **how))
        return dialled[-1]

    yield dial_one
    for client in dialled:
        client.close()
