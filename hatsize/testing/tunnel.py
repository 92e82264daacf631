"""A client's end of the tunnel: `/key`, the Noise handshake, HTTP/2 inside it, over TCP (protocol fact sheet, 1 and
2)."""

import asyncio
import base64
import contextlib
from typing import Self

import msgspec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from hatsize.testing.transport import Answer
from hatsize.wire.early import split_early
from hatsize.wire.keys import PrivateKey, parse_machine_key, raw_key
from hatsize.wire.noise import Initiator
from hatsize.wire.records import Opener, Sealer

READ = 1 << 16
WINDOW = 1 << 24


async def server_key(host: str, port: int, cap_version: int) -> bytes:
    """The 32-byte Noise key that the server tells at `/key`; OSError with its words when it tells none."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /key?v={cap_version} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(body.decode(errors="replace"))
    return raw_key(parse_machine_key(msgspec.json.decode(body)["publicKey"]))


class TunnelTransport:
    """An open tunnel. Make one with `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._answers: dict[int, Answer] = {}
        self._room = asyncio.Event()
        self._sealer: Sealer
        self._opener: Opener
        self._reading: asyncio.Task[None]

    @classmethod
    async def connect(cls, host: str, port: int, machine: PrivateKey, cap_version: int) -> Self:
        """Shake hands with a server; NoiseError with its words when it refuses."""
        key = await server_key(host, port, cap_version)
        tunnel = cls(*await asyncio.open_connection(host, port))
        try:
            plain = await tunnel._shake_hands(Initiator(machine, key, cap_version), host)
        except BaseException:
            tunnel._writer.close()
            raise
        tunnel._h2.initiate_connection()
        tunnel._h2.increment_flow_control_window(WINDOW)
        tunnel._take(plain)
        tunnel._reading = asyncio.create_task(tunnel._read())
        return tunnel

    async def request(self, method: str, path: str, body: bytes) -> Answer:
        if self._reading.done():
            raise ConnectionResetError("the connection is gone")
        stream = self._h2.get_next_available_stream_id()
        answer = self._answers[stream] = Answer()
        answer.when_closed = lambda: self._reset(stream)
        headers = [(":method", method), (":path", path), (":authority", "hatsize"), (":scheme", "https")]
        self._h2.send_headers(stream, headers, end_stream=not body)
        await self._send_body(stream, body)
        await answer.started.wait()
        if not answer.status:
            raise ConnectionResetError(f"{method} {path} was not answered")
        return answer

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._lost()

    def kill(self) -> None:
        """Break the connection as a machine does that loses its network."""
        self._writer.transport.abort()

    async def _shake_hands(self, initiator: Initiator, host: str) -> bytes:
        """Upgrade, and read as far as the early payload; the plaintext behind it."""
        message = base64.b64encode(initiator.message).decode()
        self._writer.write(
            f"POST /ts2021 HTTP/1.1\r\nHost: {host}\r\nUpgrade: tailscale-control-protocol\r\nConnection: upgrade\r\n"
            f"X-Tailscale-Handshake: {message}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise OSError((head + await self._reader.read()).decode(errors="replace"))
        done = None
        while done is None:
            done = initiator.receive(await self._more())
        keys, rest = done
        self._sealer, self._opener = Sealer(keys.send), Opener(keys.receive)
        plain = self._opener.receive(rest)
        while (split := split_early(plain)) is None:
            plain += self._opener.receive(await self._more())
        return split[1]

    async def _more(self) -> bytes:
        data = await self._reader.read(READ)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    async def _read(self) -> None:
        try:
            while True:
                self._take(self._opener.receive(await self._more()))
        except (OSError, ProtocolError):
            pass
        finally:
            self._lost()

    def _take(self, plain: bytes) -> None:
        for event in self._h2.receive_data(plain):
            answer = self._answers.get(getattr(event, "stream_id", None) or 0)
            if answer is None:
                continue
            if isinstance(event, ResponseReceived):
                answer.begin(int(dict(event.headers)[b":status"]))
            elif isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                answer.feed(event.data)
            elif isinstance(event, StreamEnded | StreamReset):
                del self._answers[event.stream_id]
                answer.end()
        self._room.set()
        self._flush()

    async def _send_body(self, stream: int, body: bytes) -> None:
        """Send a request's body as the windows open, until it is answered early."""
        while body:
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(body))
            if room:
                self._h2.send_data(stream, body[:room], end_stream=room == len(body))
                body = body[room:]
                self._flush()
                continue
            self._room.clear()
            await self._room.wait()
            if stream not in self._answers:
                return
        self._flush()

    def _reset(self, stream: int) -> None:
        if self._answers.pop(stream, None) is not None and not self._writer.is_closing():
            self._h2.reset_stream(stream, 8)  # CANCEL
            self._flush()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(self._sealer.seal(data))

    def _lost(self) -> None:
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer.end()
        self._room.set()
