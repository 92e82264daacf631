"""TLS on an accepted connection, as an asyncio transport that is made for many small records.

`TLSRecords` stand between socket and protocol. What a read of the socket brought is decrypted straight into the buffer
of a `BufferedProtocol`, and what is written is sent at once. A connection that rests has no buffers.
`benchmarks/derp/README.md` has what that saves.

Nobody renegotiates (TLS 1.3 cannot, and OpenSSL refuses it to clients), so writing never waits for reading.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

from hatsize.server.tls_records import RECORD, TLSRecords

_READ = 64 * 1024
"""Bytes that are read from a socket at once."""
_HIGH_WATER = 512 * 1024
_NOT_NOW = (BlockingIOError, InterruptedError)
_NOBODY = asyncio.Protocol()


class TLSTransport(asyncio.Transport):
    """An accepted connection behind its handshake. `begin` starts the protocol; the socket is the transport's own.

    `close` sends what is left and waits for the peer's end, `shutdown_timeout` seconds at most.
    """

    __slots__ = (
        "_backlog",
        "_closing",
        "_ended",
        "_full",
        "_high",
        "_loop",
        "_lost",
        "_low",
        "_over",
        "_paused",
        "_protocol",
        "_records",
        "_shutdown_timeout",
        "_sock",
        "_timer",
    )

    def __init__(self, sock: socket.socket, records: TLSRecords, shutdown_timeout: float) -> None:
        super().__init__(_extra_info(sock, records.tls))
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._records = records
        self._shutdown_timeout = shutdown_timeout
        self._timer: asyncio.TimerHandle | None = None
        self._protocol: asyncio.Protocol | asyncio.BufferedProtocol = _NOBODY
        self._backlog = bytearray()
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4
        self._full = False  # the protocol was told to stop writing
        self._paused = False
        self._over = False  # its turn; what was read waits for the next
        self._ended = False  # the peer sends no more
        self._closing = False
        self._lost = False

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the protocol the connection, and what came right behind the handshake."""
        self.set_protocol(protocol)
        self._loop.add_reader(self._sock, self._readable)
        try:
            protocol.connection_made(self)
        except Exception as error:  # noqa: BLE001 - reported
            self._blame(error)
        self._loop.call_soon(self._catch_up)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast("asyncio.Protocol | asyncio.BufferedProtocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        if self.is_reading():
            self._paused = True
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        if self._paused and not self._closing:
            self._paused = False
            self._loop.add_reader(self._sock, self._readable)
            self._loop.call_soon(self._catch_up)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not data:
            return
        try:
            self._records.encrypt(data)
        except ssl.SSLError as error:
            self._end(error)
            return
        self._send()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return False

    def write_eof(self) -> None:
        raise NotImplementedError

    def get_write_buffer_size(self) -> int:
        return len(self._backlog)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low mark and the high one."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"the high mark ({high}) must not be below the low one ({low}), nor that below 0")
        self._high, self._low = high, low
        self._look_at_marks()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self._ended:
            self._loop.remove_reader(self._sock)
        else:
            self._loop.add_reader(self._sock, self._discard)
        self._timer = self._loop.call_later(self._shutdown_timeout, self._give_up)
        with suppress(ssl.SSLError):  # the peer's part of it is not there yet, or never will be
            self._records.tls.unwrap()
        self._send()
        if not self._backlog:
            self._sent_all()

    def abort(self) -> None:
        self._end(None)

    def _readable(self) -> None:
        if not self._records.incoming.pending:
            try:
                data = self._sock.recv(_READ)
            except _NOT_NOW:
                return
            except OSError as error:
                self._end(error)
                return
            if not data:
                self._finish(EOFError())
                return
            self._records.incoming.write(data)
        self._deliver()

    def _catch_up(self) -> None:
        """Deliver what lies here already: the socket does not tell of it."""
        if self._records.incoming.pending or self._records.tls.pending():
            self._deliver()

    def _next_turn(self) -> None:
        self._over = False
        self._deliver()

    def _deliver(self) -> None:
        """Give the protocol what was read, until it wants no more; another that takes over gets the rest.

        After so many records at once the others have their turn first, or who floods would hold them up.
        """
        if self._over:
            return
        filled = True
        while filled and not self._paused and not self._closing:
            protocol = self._protocol
            try:
                if isinstance(protocol, asyncio.BufferedProtocol):
                    room = memoryview(protocol.get_buffer(-1))
                    count, end = self._records.decrypt(room)
                    if count:
                        protocol.buffer_updated(count)
                else:
                    room = memoryview(bytearray(self._records.incoming.pending + RECORD))
                    count, end = self._records.decrypt(room)
                    if count:
                        protocol.data_received(bytes(room[:count]))
            except Exception as error:  # noqa: BLE001 - reported
                self._blame(error)
                return
            filled = count == len(room)
            if end is not None and not self._closing:
                self._finish(end)
        if self._records.incoming.pending and not self._paused and not self._closing:
            self._over = True
            self._loop.call_soon(self._next_turn)
        if self._records.outgoing.pending and not self._lost:  # TLS's own words: that it does not renegotiate
            self._send()

    def _finish(self, end: Exception) -> None:
        """The peer sends no more, or breaks the TLS."""
        if not isinstance(end, EOFError):
            self._send()  # the alert that says why
            self._end(end)
            return
        self._ended = True
        try:
            self._protocol.eof_received()
        except Exception as error:  # noqa: BLE001 - reported
            self._blame(error)
        self.close()

    def _send(self) -> None:
        """Send what TLS has made, at once if the socket takes it. A goodbye may miss the peer."""
        data = self._records.outgoing.read()
        if not self._backlog:
            try:
                sent = self._sock.send(data)
            except _NOT_NOW:
                sent = 0
            except OSError as error:
                self._end(None if self._closing else error)
                return
            if sent == len(data):
                return
            self._loop.add_writer(self._sock, self._writable)
            data = data[sent:]
        self._backlog += data
        self._look_at_marks()

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._backlog)
        except _NOT_NOW:
            return
        except OSError as error:
            self._end(error)
            return
        del self._backlog[:sent]
        if not self._backlog:
            self._loop.remove_writer(self._sock)
        self._look_at_marks()
        if self._closing and not self._backlog:
            self._sent_all()

    def _look_at_marks(self) -> None:
        """Tell the protocol to stop writing, or to go on."""
        waiting = len(self._backlog)
        if waiting <= self._low if self._full else waiting > self._high:
            self._full = not self._full
            try:
                if self._full:
                    self._protocol.pause_writing()
                else:
                    self._protocol.resume_writing()
            except Exception as error:  # noqa: BLE001 - reported
                self._blame(error)

    def _sent_all(self) -> None:
        """Tell the peer so, and wait for its end: to close on what it still sends would take back what it was sent."""
        if self._ended or self._lost:
            self._end(None)
            return
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._end(None)

    def _discard(self) -> None:
        """Read on from a peer that does not know yet that the connection is closing."""
        error = None
        try:
            if self._sock.recv(_READ):
                return
        except _NOT_NOW:
            return
        except OSError as failure:
            error = failure
        self._ended = True
        self._loop.remove_reader(self._sock)
        if error or not self._backlog:
            self._end(error if self._backlog else None)

    def _give_up(self) -> None:
        self._end(TimeoutError("the peer did not read what was left for it") if self._backlog else None)

    def _blame(self, error: Exception) -> None:
        """A protocol that fails costs its connection, and is told of as asyncio does."""
        said = {"message": "a protocol failed, and its connection ends", "exception": error}
        self._loop.call_exception_handler({**said, "transport": self, "protocol": self._protocol})
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        """End the connection now; the protocol hears of it from the loop."""
        if self._lost:
            return
        self._lost = self._closing = True
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        if self._timer is not None:
            self._timer.cancel()
        self._backlog.clear()
        self._loop.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, _NOBODY
        try:
            protocol.connection_lost(error)
        finally:
            self._sock.close()


def _extra_info(sock: socket.socket, tls: ssl.SSLObject) -> dict[str, object]:
    found: dict[str, object] = {
        "socket": sock,
        "sockname": sock.getsockname(),
        "ssl_object": tls,
        "sslcontext": tls.context,
        "cipher": tls.cipher(),
        "compression": tls.compression(),
        "peercert": tls.getpeercert(),
    }
    with suppress(OSError):  # it has gone already
        found["peername"] = sock.getpeername()
    return found
