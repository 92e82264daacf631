"""A stage for the relay's core: actors with names, bytes through real splitters, a clock the test moves."""

import struct

import pytest

from hatsize.derp.client import Client
from hatsize.derp.limits import Limits
from hatsize.derp.relay import Relay
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.splitter import Buffer, FrameError, Splitter

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
