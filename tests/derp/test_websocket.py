"""The relay inside a WebSocket, where the listener has answered already and carries the byte stream."""

import pytest

from hatsize.derp.server import DerpServer
from hatsize.server.websocket import WebSocketTransport
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType
from hatsize.wire.derp.handshake import ClientInfo, client_info, parse_server_key
from hatsize.wire.keys import PrivateKey
from hatsize.wire.upgrade import Upgrade

pytestmark = pytest.mark.anyio


def sent(transport):
    """What the relay wrote since the last time."""
    data, transport._outgoing = bytes(transport._outgoing), bytearray()
    return data


async def test_it_begins_with_the_server_s_key_and_serves():
    server, transport, private = DerpServer(PrivateKey.generate()), WebSocketTransport(), PrivateKey.generate()
    server.take(Upgrade("GET", "/derp", "", {}, transport, remote="192.0.2.1", answered=True))
    assert parse_server_key(sent(transport)[5:]) == server.private.public
    transport.feed(client_info(private, server.private.public, ClientInfo(version=2)))
    assert sent(transport)[0] == FrameType.SERVER_INFO
    transport.feed(frames.send_packet(private.public, b"echo")[:20])
    transport.feed(frames.send_packet(private.public, b"echo")[20:])
    assert sent(transport) == frames.recv_packet(private.public, b"echo")
    transport.lost()
    assert server.counters.clients == 0


async def test_an_error_ends_the_websocket():
    server, transport = DerpServer(PrivateKey.generate()), WebSocketTransport()
    server.take(Upgrade("GET", "/derp", "", {}, transport, answered=True))
    transport.feed(frames.KEEP_ALIVE)
    assert transport.is_closing()
