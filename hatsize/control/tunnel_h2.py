"""One client's connection after the handshake: Noise records around HTTP/2, streams inside.

The h2 library keeps the protocol's state. DATA frames, the one thing sent by the thousand, are written past its
state machine: its two windows are lowered by hand, which makes a small write four times cheaper.
"""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import H2Error, ProtocolError

from hatsize.control.tunnel_stream import Stream
from hatsize.wire.records import Opener, RecordError, Sealer

PREFACE_DEADLINE = 10.0
"""Seconds from the handshake to the first request or settings."""
WRITE_DEADLINE = 30.0
"""Seconds a peer may leave what is sent to it unread."""
MAX_BODIES = 4 << 20
"""Bytes of unfinished request bodies that one connection may hold."""
MAX_FRAME = (16 << 10) + 9
"""Bytes of a frame, with its head, that are waited for."""
HIGH_WATER = 256 << 10
"""Bytes that may wait in the transport before streams have to wait."""
_CONTROL_FRAMES, _CONTROL_PERIOD = 1000, 10.0
"""So many pings, settings, priorities and resets are taken in so many seconds."""
_CONTROL = (PingReceived, PriorityUpdated, RemoteSettingsChanged, StreamReset)
_CHUNK = 64 << 10
_data_head = struct.Struct(">BHBBI").pack  # length as 8 and 16 bits, type 0 (DATA), flags, stream
_log = logging.getLogger("hatsize.control.tunnel")


class TunnelConnection(asyncio.Protocol):
    """Speaks with one client.

    `state` goes into the scope of every request, `remote` is the client's address, `greeting` is sent before all else.
    """

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[None]],
        state: dict[str, Any],
        remote: str,
        opener: Opener,
        sealer: Sealer,
        *,
        greeting: bytes,
    ) -> None:
        self.app = app
        self.state = state
        self.remote = remote
        self.when_lost: Callable[[], None] = lambda: None
        self.when_settled: Callable[[], None] = lambda: None
        """Called when a response is taken over as a stream."""
        self.paused = False
        """Whether the transport holds so much that streams have to wait."""
        self.streams: dict[int, Stream] = {}
        self._open = opener.receive
        self._seal = sealer.seal
        self._greeting = greeting
        self._flushing = False
        self._h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False)
        )
        self._bodies = 0
        self._control_frames = 0
        self._control_since = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._preface: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by type
        self._loop = asyncio.get_running_loop()
        self._transport.set_write_buffer_limits(HIGH_WATER)
        self._preface = self._loop.call_later(PREFACE_DEADLINE, self._transport.abort)
        self._h2.initiate_connection()
        self._transport.write(self._greeting + self._seal(self._h2.data_to_send()))
        self._greeting = b""

    def data_received(self, data: bytes) -> None:
        try:
            plaintext = self._open(data)
            if plaintext:
                self._take(plaintext)
        except (RecordError, ProtocolError) as error:
            _log.warning("closed the tunnel of %s: %s", self.remote, error or type(error).__name__)
            self.end()
        else:
            self._flush_soon()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._set_deadline(None)
        self._spoke()
        streams = list(self.streams.values())
        self.streams.clear()
        for stream in streams:
            stream.lost()
        self.when_lost()

    def pause_writing(self) -> None:
        """The peer does not read. Nor do we then, so that what it provokes cannot pile up."""
        self.paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._set_deadline(WRITE_DEADLINE)

    def resume_writing(self) -> None:
        self.paused = False
        if not self._transport.is_closing():
            self._set_deadline(None)
            self._transport.resume_reading()
            self._wake()

    def end(self) -> None:
        """Say that the connection ends, and end it."""
        if self._transport.is_closing():
            return
        self._flush()
        self._transport.close()
        self._set_deadline(WRITE_DEADLINE)

    def send_headers(self, stream: int, headers: list[tuple[bytes, bytes]], *, end: bool) -> None:
        with contextlib.suppress(H2Error):  # reset or closed by frames of the batch that is being read
            self._h2.send_headers(stream, headers, end_stream=end)
        self._flush()

    def send_data(self, number: int, data: bytes | memoryview) -> int:
        """Send what windows and transport take of `data`; how much that was."""
        h2 = self._h2
        h2_stream = h2.streams.get(number)
        if h2_stream is None or self._transport.is_closing():
            return len(data)
        sent, size, frame_size = 0, len(data), h2.max_outbound_frame_size
        while sent < size and not self.paused:
            window = min(h2.outbound_flow_control_window, h2_stream.outbound_flow_control_window, _CHUNK, size - sent)
            if window <= 0:
                break
            h2.outbound_flow_control_window -= window
            h2_stream.outbound_flow_control_window -= window
            if window == size <= frame_size:
                self._transport.write(self._seal(_data_head(size >> 16, size & 0xFFFF, 0, 0, number) + data))
                return size
            parts: list[bytes | memoryview] = []
            for start in range(sent, sent + window, frame_size):
                chunk = data[start : min(start + frame_size, sent + window)]
                parts += (_data_head(len(chunk) >> 16, len(chunk) & 0xFFFF, 0, 0, number), chunk)
            sent += window
            self._transport.write(self._seal(b"".join(parts)))
        return sent

    def end_stream(self, stream: int, *, complete: bool) -> None:
        """Finish a response. A request that is not `complete` is reset: its sender has its answer."""
        with contextlib.suppress(H2Error):
            self._h2.end_stream(stream)
            if not complete:
                self._h2.reset_stream(stream, ErrorCodes.NO_ERROR)
        self._forget(stream)
        self._flush()

    def reset_stream(self, stream: int, code: ErrorCodes) -> None:
        with contextlib.suppress(H2Error):
            self._h2.reset_stream(stream, code)
        self._forget(stream)
        self._flush()

    def _take(self, plaintext: bytes) -> None:
        for event in self._h2.receive_data(plaintext):
            self._handle(event)
        if len(self._h2.incoming_buffer._data) > MAX_FRAME:  # noqa: SLF001 - h2 checks a frame once it is whole
            raise ProtocolError("an overlong frame")

    def _handle(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, RequestReceived):
            self.streams[event.stream_id] = Stream(self, event.stream_id, event.headers)
        elif isinstance(event, StreamEnded):
            self._ended(event.stream_id)
        elif isinstance(event, WindowUpdated):
            self._wake(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self.end()
        elif isinstance(event, _CONTROL):
            self._count_control_frame()
            stream = self._forget(event.stream_id) if isinstance(event, StreamReset) else None
            if stream:
                stream.lost()
            elif isinstance(event, RemoteSettingsChanged):
                self._spoke()
                self._wake()

    def _data(self, event: DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if not event.data:
            self._count_control_frame()
        stream = self.streams.get(event.stream_id)
        if stream:
            before = stream.body_size
            stream.receive(event.data, room=MAX_BODIES - self._bodies)
            self._bodies += stream.body_size - before

    def _ended(self, number: int) -> None:
        stream = self.streams.get(number)
        if stream:
            self._bodies -= stream.body_size
            stream.start()

    def _forget(self, number: int) -> Stream | None:
        stream = self.streams.pop(number, None)
        if stream and not stream.started:
            self._bodies -= stream.body_size
        return stream

    def _wake(self, number: int = 0) -> None:
        """Let streams go on whose window grew: one, or with 0 all."""
        for stream in [self.streams[number]] if number in self.streams else list(self.streams.values()):
            if self.paused:
                return
            stream.resume()

    def _spoke(self) -> None:
        """The preface has come: HTTP/2 is what the client speaks."""
        if self._preface:
            self._preface.cancel()
            self._preface = None

    def _count_control_frame(self) -> None:
        now = self._loop.time()
        if now - self._control_since > _CONTROL_PERIOD:
            self._control_since, self._control_frames = now, 0
        self._control_frames += 1
        if self._control_frames > _CONTROL_FRAMES:
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            raise ProtocolError("too many control frames")

    def _flush_soon(self) -> None:
        """Send after the requests just read have had their first turn, so that a quick answer shares the write."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(self._seal(data))

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._transport.abort) if seconds else None
