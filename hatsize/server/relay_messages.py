"""What a server and the relay process beside it tell each other: JSON, one message a line, over a socket pair.

relay   -> server   {"type": "Ask", "key": "nodekey:…"}
server  -> relay    {"type": "Verdict", "key": "nodekey:…", "admitted": true}
server  -> relay    {"type": "Verdict", "key": "nodekey:…", "admitted": false}    unasked: cut that node off
server  -> relay    {"type": "Renew", "certificate": "/…", "key": "/…"}
server  -> relay    {"type": "Meshed", "mesh_key": "…", "peers": [{"host": "10.0.0.12", "port": 8081, "key": "…"}]}
server  -> relay    {"type": "LetGo", "at_most": 3}
relay   -> server   {"type": "Count", "counters": {"clients": 3, …}, "stun": {"answered_ipv4": 7, …}, "linked": []}
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from hatsize.derp.mesh import MeshPeer
from hatsize.derp.stun import StunCounters


class Ask(msgspec.Struct, tag=True, frozen=True):
    """May this node use the relay?"""

    key: str


class Verdict(msgspec.Struct, tag=True, frozen=True):
    """It may, or it may not and is cut off if it is connected."""

    key: str
    admitted: bool


class Renew(msgspec.Struct, tag=True, frozen=True):
    """Show this certificate from now on; paths of PEM files."""

    certificate: str
    key: str


class Meshed(msgspec.Struct, tag=True, frozen=True):
    """Let in, and link to, these relays and no others, by this key."""

    mesh_key: str
    peers: list[MeshPeer]


class LetGo(msgspec.Struct, tag=True, frozen=True):
    """Send so many clients away at most."""

    at_most: int


class Count(msgspec.Struct, tag=True, frozen=True):
    """The relay's counters as they are now, those by reason as a mapping, and those of its STUN server."""

    counters: dict[str, int | dict[str, int]]
    stun: StunCounters
    linked: list[MeshPeer] = []
    """The relays there is a link to."""


Message = Ask | Verdict | Renew | Meshed | LetGo | Count
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Messages(asyncio.Protocol):
    """One end of the socket pair."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the other end is no more."""
        self._heard = heard
        self._read = b""

    def tell(self, message: Message) -> None:
        if not self._transport.is_closing():
            self._transport.write(msgspec.json.encode(message) + b"\n")

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._read = (self._read + data).split(b"\n")
        for line in lines:
            self._heard(_decoder.decode(line))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.lost.done():
            self.lost.set_result(None)
