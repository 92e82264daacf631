"""One connection to another relay of the region, as its client: it tells who is there and takes what is for them.

us     GET /derp, Upgrade: DERP
them   101, ServerKey
us     ClientInfo with the mesh key
them   ServerInfo
us     WatchConns
them   PeerPresent for everybody who is there, then what changes
us     ForwardPacket, whenever a packet is for one of these
"""

import asyncio
import logging
from enum import Enum, auto
from typing import cast

from hatsize.derp.relay import Relay
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.handshake import ClientInfo, HandshakeError, client_info, open_server_info, parse_server_key
from hatsize.wire.derp.splitter import Buffer, Frame, FrameError, Splitter
from hatsize.wire.keys import PrivateKey

_log = logging.getLogger(__name__)
_REQUEST = (
    "GET /derp HTTP/1.1\r\nHost: {host}\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n"
    f"Derp-Version: {frames.VERSION}\r\n\r\n"
)
_MAX_HEAD = 16 * 1024


class Stage(Enum):
    """How far the handshake has come."""

    HTTP = auto()
    SERVER_KEY = auto()
    SERVER_INFO = auto()
    WATCHING = auto()


class ItselfError(Exception):
    """The other relay is this one."""


class Link(asyncio.Protocol):
    """A forwarder from its first PeerPresent until it is lost."""

    def __init__(self, relay: Relay, identity: PrivateKey, mesh_key: str, host: str, key: str = "") -> None:
        """`key` is the public key that the other relay must have, empty for any."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended, with ItselfError where no other will do better."""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the handshake has ended, or the connection."""
        self.stage = Stage.HTTP
        self.last_heard = 0.0
        """When anything came last, by the loop's clock."""
        self._relay = relay
        self._identity = identity
        self._mesh_key = mesh_key
        self._host = host
        self._key = key
        self._server = b""
        self._head = b""
        self._present: set[bytes] = set()
        self._full = False
        self._splitter = Splitter(Buffer())
        self._steps = {
            (Stage.SERVER_KEY, FrameType.SERVER_KEY): self._introduce,
            (Stage.SERVER_INFO, FrameType.SERVER_INFO): self._watch,
            (Stage.WATCHING, FrameType.PEER_PRESENT): self._add,
            (Stage.WATCHING, FrameType.PEER_GONE): self._remove,
            (Stage.WATCHING, FrameType.PING): self._answer,
        }

    def forward(self, frames: bytes) -> bool:
        if self._full or self._transport.is_closing():
            return False
        self._transport.write(frames)
        return True

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.last_heard = asyncio.get_running_loop().time()
        queue = self._relay.limits.queue
        self._transport.set_write_buffer_limits(high=4 * queue, low=2 * queue)
        self._transport.write(_REQUEST.format(host=self._host).encode())

    def data_received(self, data: bytes) -> None:
        self.last_heard = asyncio.get_running_loop().time()
        try:
            if self.stage is Stage.HTTP:
                data = self._answered(data)
            for _, control in self._splitter.feed(data):
                for frame in control:
                    self._step(frame)
        except (FrameError, HandshakeError) as error:
            _log.warning("the link to %s ends: %s", self._host, error)
            self.close()
        except ItselfError as error:
            self._end(error)
            self.close()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        present, self._present = self._present, set()
        for key in present:
            self._relay.remove_elsewhere(key, self)
        self._end()

    def _begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)

    def _end(self, error: Exception | None = None) -> None:
        self._begin()
        if self.lost.done():
            return
        if error is None:
            self.lost.set_result(None)
        else:
            self.lost.set_exception(error)

    def _answered(self, data: bytes) -> bytes:
        """Wait for the head of the HTTP answer; returns what came behind it."""
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found and len(head) <= _MAX_HEAD:
            return b""
        if not head.startswith(b"HTTP/1.1 101"):
            raise HandshakeError(f"it answers {head[:60]!r} instead of switching to DERP")
        self.stage, self._head = Stage.SERVER_KEY, b""
        return rest

    def _step(self, frame: Frame) -> None:
        kind, payload = frame
        step = self._steps.get((self.stage, cast("FrameType", kind)))
        if step is not None:
            step(payload)

    def _introduce(self, payload: bytes) -> None:
        self._server = parse_server_key(payload)
        if self._server == self._identity.public:
            raise ItselfError(f"{self._host} is this relay itself")
        if self._key and self._server.hex() != self._key:
            raise HandshakeError(f"it has the key {self._server.hex()}, where the relay that is meant has {self._key}")
        info = ClientInfo(frames.VERSION, self._mesh_key)
        self._transport.write(client_info(self._identity, self._server, info))
        self.stage = Stage.SERVER_INFO

    def _watch(self, payload: bytes) -> None:
        open_server_info(self._identity, self._server, payload)
        self._transport.write(frames.WATCH_CONNS)
        self.stage = Stage.WATCHING
        self._begin()
        _log.info("meshed with %s", self._host)

    def _add(self, payload: bytes) -> None:
        key = payload[: frames.KEY_SIZE]
        if key != self._identity.public:
            self._present.add(key)
            self._relay.add_elsewhere(key, self)

    def _remove(self, payload: bytes) -> None:
        key = payload[: frames.KEY_SIZE]
        self._present.discard(key)
        self._relay.remove_elsewhere(key, self)

    def _answer(self, payload: bytes) -> None:
        self._transport.write(frames.pong(payload[:8]))
