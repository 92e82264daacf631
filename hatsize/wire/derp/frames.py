"""DERP frames: their types, and a builder for each that Hatsize sends.

    +------+----------------+---------------------+
    | type | length, u32 BE | payload             |
    +------+----------------+---------------------+
      1 B         4 B         `length` bytes

Keys are the 32 raw bytes. Source: protocol fact sheet, section 7.2.
"""

from enum import IntEnum, IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct
from typing import Final

MAGIC: Final = b"DERP\xf0\x9f\x94\x91"
VERSION: Final = 2
HEADER_SIZE: Final = 5
KEY_SIZE: Final = 32
MAX_PACKET: Final = 65536
"""Bytes of a relayed packet, without keys and headers."""
MAX_INFO: Final = 256 * 1024
"""Bytes of a ClientInfo's or ServerInfo's payload."""

UPGRADE_PROTOCOL: Final = "DERP"
META_CERTIFICATE_PREFIX: Final = "derpkey"
"""A meta certificate's common name is this and the relay's public key in hex; its serial number is VERSION."""

DISCO_MAGIC: Final = b"TS\xf0\x9f\x92\xac"
DISCO_MIN_SIZE: Final = 62

_HEADER = Struct(">BI")
_PRESENT = Struct(">32s16sHB")
_RESTARTING = Struct(">II")


class FrameType(IntEnum):
    """The first byte of a frame."""

    SERVER_KEY = 0x01
    CLIENT_INFO = 0x02
    SERVER_INFO = 0x03
    SEND_PACKET = 0x04
    RECV_PACKET = 0x05
    KEEP_ALIVE = 0x06
    NOTE_PREFERRED = 0x07
    PEER_GONE = 0x08
    PEER_PRESENT = 0x09
    FORWARD_PACKET = 0x0A
    WATCH_CONNS = 0x10
    CLOSE_PEER = 0x11
    PING = 0x12
    PONG = 0x13
    RESTARTING = 0x15


class GoneReason(IntEnum):
    """Why a peer is gone, the last byte of PeerGone."""

    DISCONNECTED = 0
    NOT_HERE = 1


class PresentFlags(IntFlag):
    """What a connected client is, the last byte of PeerPresent."""

    REGULAR = 1
    MESH_PEER = 2
    PROBER = 4
    NOT_IDEAL = 8


def frame(kind: FrameType, payload: bytes = b"") -> bytes:
    return _HEADER.pack(kind, len(payload)) + payload


KEEP_ALIVE: Final = frame(FrameType.KEEP_ALIVE)
WATCH_CONNS: Final = frame(FrameType.WATCH_CONNS)


def server_key(public: bytes) -> bytes:
    """Magic (8), the relay's public key (32)."""
    return frame(FrameType.SERVER_KEY, MAGIC + public)


def send_packet(destination: bytes, data: bytes) -> bytes:
    """Destination (32), the packet."""
    return frame(FrameType.SEND_PACKET, destination + data)


def recv_packet(source: bytes, data: bytes) -> bytes:
    """Source (32), the packet."""
    return frame(FrameType.RECV_PACKET, source + data)


def forward_packet(source: bytes, destination: bytes, data: bytes) -> bytes:
    """Source (32), destination (32), the packet."""
    return frame(FrameType.FORWARD_PACKET, source + destination + data)


def note_preferred(home: bool) -> bytes:
    """One byte: 1 when this relay is the client's home, 0 when no longer."""
    return frame(FrameType.NOTE_PREFERRED, b"\x01" if home else b"\x00")


def peer_gone(peer: bytes, reason: GoneReason) -> bytes:
    """Peer (32), reason (1)."""
    return frame(FrameType.PEER_GONE, peer + bytes((reason,)))


def peer_present(peer: bytes, address: str, port: int, flags: PresentFlags) -> bytes:
    """Peer (32), its address as IPv6, v4-mapped (16), its port BE (2), flags (1). An unknown address is all zero."""
    return frame(FrameType.PEER_PRESENT, _PRESENT.pack(peer, _address16(address), port, flags))


def close_peer(peer: bytes) -> bytes:
    """Peer (32)."""
    return frame(FrameType.CLOSE_PEER, peer)


def ping(payload: bytes) -> bytes:
    """Eight bytes the pong repeats."""
    return frame(FrameType.PING, payload)


def pong(payload: bytes) -> bytes:
    """The eight bytes of the ping."""
    return frame(FrameType.PONG, payload)


def restarting(reconnect_in: int, try_for: int) -> bytes:
    """Milliseconds to wait before reconnecting (u32 BE), and for how long to try (u32 BE)."""
    return frame(FrameType.RESTARTING, _RESTARTING.pack(reconnect_in, try_for))


def looks_like_disco(data: bytes) -> bool:
    """Whether a packet carries a path discovery message, which answers the question whether a peer is here."""
    return len(data) >= DISCO_MIN_SIZE and data.startswith(DISCO_MAGIC)


def _address16(text: str) -> bytes:
    try:
        address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return bytes(16)
    return address.packed if address.version == 6 else b"\x00" * 10 + b"\xff\xff" + address.packed
