"""A client's connection: bytes from an asyncio transport into the relay, and back.

A BufferedProtocol reads into one buffer that all connections share, so an idle connection has no buffer of its own.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from hatsize.derp.client import Client
from hatsize.derp.relay import Relay
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.splitter import Buffer, Frame, FrameError, Splitter

_log = logging.getLogger(__name__)
_TURN = 128 * 1024
"""A read of more than this ends the connection's turn: a loop may otherwise read on from a flood for long."""
_USER_TIMEOUT_MS = 15_000
"""How long sent bytes may stay unacknowledged: a peer that vanished is noticed soon after a keepalive."""


class Host(Protocol):
    """What a connection needs of the server it belongs to."""

    relay: Relay
    buffer: Buffer

    def greet(self, connection: "Connection", client_info: bytes) -> None:
        """Judge a client's handshake; ends in `connection.admit` or `connection.close`."""

    def forget(self, connection: "Connection") -> None:
        """The connection has ended."""


class Connection(asyncio.BufferedProtocol):
    """A sink for what its client is sent, and a protocol for what it sends."""

    __slots__ = (
        "_client",
        "_early",
        "_host",
        "_receive",
        "_splitter",
        "_timer",
        "_transport",
        "not_ideal",
        "remote",
        "write",
    )

    def __init__(self, host: Host, transport: asyncio.Transport, remote: str, *, not_ideal: bool = False) -> None:
        self.remote = remote
        self.not_ideal = not_ideal
        self.write: Callable[[bytes | bytearray], None] = transport.write
        self._host = host
        self._transport = transport
        self._splitter = Splitter(host.buffer)
        self._receive = host.relay.receive
        self._client: Client | None = None
        self._early: list[Frame] | None = None
        self._timer: asyncio.Handle | None = None

    def begin(self, trailing: bytes) -> None:
        """Take the transport over; `trailing` came before it."""
        limits = self._host.relay.limits
        self._transport.set_write_buffer_limits(high=limits.queue, low=limits.queue // 2)
        _watch_peer(self._transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(limits.handshake_timeout, self._give_up)
        self._transport.pause_reading()  # a loop may choose how to read when reading begins
        self._transport.set_protocol(self)
        self._transport.resume_reading()
        try:
            for _, control in self._splitter.feed(trailing):
                self._greet(control)
        except FrameError as error:
            self._refuse(error)

    def admit(self, client: Client) -> None:
        """The handshake is done: the client belongs to the relay from now on."""
        if self._transport.is_closing():
            return
        self._stop_timer()
        self._splitter.source, self._splitter.mesh = client.key, client.mesh
        self._client = client
        self._host.relay.register(client)
        early, self._early = self._early or [], None
        self._pass_on(client, early)
        self._resume()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._splitter.lend()

    def buffer_updated(self, nbytes: int) -> None:
        client = self._client
        try:
            runs, control = self._splitter.split(nbytes)
            if client is not None:
                self._receive(client, self._host.buffer.data, runs, control)
            else:
                self._greet(control)
        except FrameError as error:
            self._refuse(error)
        if nbytes > _TURN:
            self.pause(0)

    def pause_writing(self) -> None:
        if self._client is not None:
            self._host.relay.block(self._client)

    def resume_writing(self) -> None:
        if self._client is not None:
            self._host.relay.unblock(self._client)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.write = _discard
        self._stop_timer()
        client, self._client = self._client, None
        if client is not None:
            self._host.relay.counters.unknown_frames += self._splitter.unknown
            self._host.relay.unregister(client)
        self._host.forget(self)

    def pending(self) -> int:
        return self._transport.get_write_buffer_size()

    def pause(self, seconds: float) -> None:
        if self._timer is None and not self._transport.is_closing():
            self._transport.pause_reading()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._resume) if seconds else loop.call_soon(self._resume)

    def close(self) -> None:
        self.write = _discard
        self._transport.abort()

    def _greet(self, control: list[Frame]) -> None:
        """The first frame is the client's handshake; what follows waits until it is admitted."""
        if self._early is not None:
            self._early += control
            return
        if not control:
            return
        kind, payload = control[0]
        if kind != FrameType.CLIENT_INFO:
            raise FrameError("the first frame is not the client's handshake")
        self._early = control[1:]
        self._transport.pause_reading()
        self._host.greet(self, payload)

    def _pass_on(self, client: Client, control: list[Frame]) -> None:
        try:
            self._receive(client, self._host.buffer.data, [], control)
        except FrameError as error:
            self._refuse(error)

    def _refuse(self, error: FrameError) -> None:
        self._host.relay.counters.frame_errors += 1
        _log.info("closing the connection of %s: %s", self.remote, error)
        self.close()

    def _give_up(self) -> None:
        self._timer = None
        _log.info("closing the connection of %s: no handshake in time", self.remote)
        self._host.relay.counters.refused += 1
        self.close()

    def _resume(self) -> None:
        self._timer = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _discard(data: bytes | bytearray) -> None:
    """What a connection that has ended does with bytes."""


def _watch_peer(transport: asyncio.Transport) -> None:
    sock = cast("socket.socket | None", transport.get_extra_info("socket"))
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
