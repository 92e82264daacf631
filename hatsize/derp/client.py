"""One connection to the relay, as the relay's core sees it."""

from typing import Protocol

from hatsize.derp.limits import TokenBucket
from hatsize.wire.derp.frames import PresentFlags

_NOBODY: frozenset[bytes] = frozenset()


class Sink(Protocol):
    """Where a client's bytes go: a transport, or a list in a test."""

    def write(self, data: bytes | bytearray) -> None:
        """Queue bytes that nobody changes any more."""

    def pending(self) -> int:
        """How many bytes still wait to be sent."""

    def pause(self, seconds: float) -> None:
        """Read nothing for a while."""

    def close(self) -> None:
        """End the connection at once, whatever waits to be sent."""


class Client:
    """A connection after its handshake. Two connections of one node key are two clients."""

    __slots__ = (
        "address",
        "blocked",
        "bucket",
        "can_ack_pings",
        "due",
        "duplicate",
        "gone_bucket",
        "heard_from",
        "home",
        "key",
        "mesh",
        "not_ideal",
        "port",
        "prober",
        "silent",
        "sink",
    )

    def __init__(self, key: bytes, sink: Sink, *, address: str = "", port: int = 0) -> None:
        self.key = key
        """The node's public key, 32 raw bytes."""
        self.sink = sink
        self.address = address
        self.port = port
        self.mesh = False
        """Whether it showed the mesh key: another relay of the region."""
        self.prober = False
        self.can_ack_pings = False
        self.not_ideal = False
        """Whether the client would rather have connected to another node of the region."""
        self.home = False
        """Whether the client calls this relay its home."""
        self.blocked = False
        """Whether its queue is full: packets for it are dropped until it has been read."""
        self.duplicate = False
        """Whether its key is connected more than once."""
        self.silent = 0
        """How many keepalives passed since it sent anything."""
        self.due = 0
        """The second its next keepalive is due."""
        self.heard_from: set[bytes] | frozenset[bytes] = _NOBODY
        """Whose packets it was given, so that it learns when one of these is gone."""
        self.bucket: TokenBucket | None = None
        """What it may still send, where rates are limited."""
        self.gone_bucket: TokenBucket | None = None
        """How many more times it is told that a peer is not here."""

    @property
    def flags(self) -> PresentFlags:
        """What watchers are told it is."""
        flags = PresentFlags.MESH_PEER if self.mesh else PresentFlags.REGULAR
        if self.prober:
            flags |= PresentFlags.PROBER
        return flags | PresentFlags.NOT_IDEAL if self.not_ideal else flags
