"""`/ts2021`: the Noise handshake on an upgraded connection, then HTTP/2 for the inner app (protocol fact sheet, 2).

A refusal that a client can understand is a Noise error frame; a request that is no handshake gets a 400.
"""

import base64
import binascii
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from hatsize.control.pace import Door
from hatsize.control.tunnel_h2 import TunnelConnection
from hatsize.wire import capver
from hatsize.wire.early import early_payload
from hatsize.wire.keys import PrivateKey
from hatsize.wire.noise import Accepted, NoiseError, accept, error_frame, initiation_version
from hatsize.wire.records import Opener, Sealer
from hatsize.wire.upgrade import Upgrade

PATH = "/ts2021"
UPGRADE = "tailscale-control-protocol"
"""The Upgrade token, and the subprotocol of the WebSocket form."""
_HANDSHAKE_HEADER = "X-Tailscale-Handshake"
_SWITCH = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: {UPGRADE}\r\nConnection: upgrade\r\n\r\n".encode()
_log = logging.getLogger("hatsize.control.tunnel")


class Tunnel:
    """The Upgrader of `/ts2021`; register it under (`PATH`, `UPGRADE`).

    Args:
        key: the server's Noise key, as told at `/key`.
        app: the inner ASGI app. Its scopes carry `machine_key` and `cap_version` in `state`, and in `extensions`
            `hatsize.sink`, which takes the response over and gives a `StreamSink`.
        door: where those are who have not opened such a stream yet.
    """

    def __init__(
        self, key: PrivateKey, app: Callable[[Any, Any, Any], Awaitable[None]], door: Door | None = None
    ) -> None:
        self._key = key
        self._app = app
        self.door = Door() if door is None else door
        self.connections: set[TunnelConnection] = set()
        """Those that are open."""

    def __call__(self, upgrade: Upgrade) -> None:
        try:
            message = _initiation(upgrade)
            refusal = capver.refusal(initiation_version(message))
            accepted = None if refusal else accept(self._key, message)
        except (binascii.Error, NoiseError) as error:
            _log.info("refused a handshake from %s: %s", upgrade.remote, error)
            _answer_bad_request(upgrade)
            return
        if accepted is None:
            _log.info("refused a client at %s: %s", upgrade.remote, refusal)
            upgrade.transport.write(_switched(upgrade, error_frame(refusal or "")))
            upgrade.transport.close()
        else:
            self._open(upgrade, accepted)

    async def close(self) -> None:
        """End every connection. Clients dial again at once, here or at another replica."""
        for connection in list(self.connections):
            connection.end()

    def let_go(self, at_most: int) -> int:
        """End so many connections at most, and tell how many; their clients dial again, wherever they are led to."""
        chosen = list(itertools.islice(self.connections, at_most))
        for connection in chosen:
            connection.end()
        return len(chosen)

    def _open(self, upgrade: Upgrade, accepted: Accepted) -> None:
        sealer = Sealer(accepted.keys.send)
        early = b"" if upgrade.answered else sealer.seal(early_payload(PrivateKey.generate().public))
        greeting = _switched(upgrade, accepted.response + early)
        state = {"machine_key": str(accepted.machine), "cap_version": accepted.version}
        opener = Opener(accepted.keys.receive)
        connection = TunnelConnection(self._app, state, upgrade.remote, opener, sealer, greeting=greeting)
        self.connections.add(connection)
        self.door.enter(connection)
        connection.when_settled = lambda: self.door.leave(connection)
        connection.when_lost = lambda: self._lost(connection)
        upgrade.transport.set_protocol(connection)
        connection.connection_made(upgrade.transport)
        if upgrade.trailing:
            connection.data_received(upgrade.trailing)

    def _lost(self, connection: TunnelConnection) -> None:
        self.connections.discard(connection)
        self.door.leave(connection)


def _initiation(upgrade: Upgrade) -> bytes:
    """The handshake's first message, from the header or, for a browser, from the query."""
    text = upgrade.headers.get(_HANDSHAKE_HEADER.lower(), "")
    if upgrade.answered:
        text = parse_qs(upgrade.query).get(_HANDSHAKE_HEADER, [""])[0]
    return base64.b64decode(text, validate=True)


def _switched(upgrade: Upgrade, data: bytes) -> bytes:
    """The head of the answer and the first bytes behind it, for one write."""
    return data if upgrade.answered else _SWITCH + data


def _answer_bad_request(upgrade: Upgrade) -> None:
    if upgrade.answered:
        upgrade.transport.abort()
        return
    text = f"the {_HANDSHAKE_HEADER} header is no handshake for this server\n".encode()
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
    upgrade.transport.write(head.encode() + b"Connection: close\r\n\r\n" + text)
    upgrade.transport.close()
