"""A WebSocket as the byte stream of an asyncio transport, so that an Upgrader serves browsers too.

Binary messages carry the stream; where they end means nothing (protocol fact sheet, 2.3).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hatsize.wire.upgrade import Upgrade, Upgrader

HIGH_WATER = 256 << 10
"""Bytes that may wait to be sent before the protocol is told to stop writing."""
WRITE_DEADLINE = 30.0
"""Seconds a message may take to be sent."""
_NORMAL, _POLICY_VIOLATION = 1000, 1008
_Send = Callable[[Any], Awaitable[None]]


async def carry(
    upgrader: Upgrader,
    upgrade: Callable[[asyncio.Transport], Upgrade],
    subprotocol: str,
    receive: Callable[[], Awaitable[Any]],
    send: _Send,
) -> None:
    """Accept the WebSocket, hand it over, and move bytes until either side ends it."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    transport = WebSocketTransport()
    upgrader(upgrade(transport))
    sending = asyncio.get_running_loop().create_task(transport.send_all(send))
    reading = asyncio.get_running_loop().create_task(_read(transport, receive))
    try:
        await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
    finally:
        transport.lost()
        for task in (sending, reading):
            task.cancel()
        await asyncio.gather(sending, reading, return_exceptions=True)


async def _read(transport: "WebSocketTransport", receive: Callable[[], Awaitable[Any]]) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("bytes"):
            await transport.reading.wait()
            transport.feed(message["bytes"])


class WebSocketTransport(asyncio.Transport):
    """What the Upgrader writes to. `close` ends normally after what was written, `abort` as a policy violation."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = asyncio.Event()
        self.reading.set()
        self._protocol: asyncio.BaseProtocol | None = None
        self._outgoing = bytearray()
        self._changed = asyncio.Event()
        self._code: int | None = None
        self._paused = self._ended = False
        self._high_water = HIGH_WATER

    async def send_all(self, send: _Send) -> None:
        """Send what is written until the transport is closed. Raises TimeoutError when the peer does not read."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._outgoing and self._code != _POLICY_VIOLATION:
                data = bytes(self._outgoing)
                self._outgoing.clear()
                async with asyncio.timeout(WRITE_DEADLINE):
                    await send({"type": "websocket.send", "bytes": data})
                self._resume()
            if self._code is not None:
                await send({"type": "websocket.close", "code": self._code})
                return

    def feed(self, data: bytes) -> None:
        """Give the protocol what a message brought."""
        if isinstance(self._protocol, asyncio.BufferedProtocol):
            while data:
                buffer = memoryview(self._protocol.get_buffer(len(data)))
                size = min(len(buffer), len(data))
                buffer[:size] = data[:size]
                self._protocol.buffer_updated(size)
                data = data[size:]
        elif isinstance(self._protocol, asyncio.Protocol):
            self._protocol.data_received(data)

    def lost(self) -> None:
        """Tell the protocol that the connection is gone."""
        if not self._ended:
            self._ended = True
            self._code = _NORMAL if self._code is None else self._code
            if self._protocol:
                self._protocol.connection_lost(None)

    def write(self, data: Any) -> None:
        if self._code is None:
            self._outgoing += data
            self._changed.set()
            if len(self._outgoing) > self._high_water and not self._paused:
                self._paused = True
                if self._protocol:
                    self._protocol.pause_writing()

    def close(self) -> None:
        self._end(_NORMAL)

    def abort(self) -> None:
        self._end(_POLICY_VIOLATION)

    def is_closing(self) -> bool:
        return self._code is not None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()

    def is_reading(self) -> bool:
        return self.reading.is_set()

    def get_write_buffer_size(self) -> int:
        return len(self._outgoing)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        self._high_water = HIGH_WATER if high is None else high

    def can_write_eof(self) -> bool:
        return False

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._changed.set()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._protocol:
                self._protocol.resume_writing()
