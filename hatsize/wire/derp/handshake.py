"""The DERP handshake: who a client is and what a relay offers, as JSON in NaCl boxes.

    relay   -> client   ServerKey   magic 8 · relay's public key 32
    client  -> relay    ClientInfo  client's public key 32 · nonce 24 · box(JSON)
    relay   -> client   ServerInfo  nonce 24 · box(JSON)

Opening a ClientInfo proves that the client has its node key's private half. Source: protocol fact sheet, section 7.3.
"""

from typing import TypeVar

import msgspec
from nacl.bindings import crypto_box, crypto_box_open
from nacl.exceptions import CryptoError
from nacl.utils import random as random_bytes

from hatsize.wire.derp.frames import KEY_SIZE, MAGIC, VERSION, FrameType, frame
from hatsize.wire.keys import PrivateKey

NONCE_SIZE = 24

_T = TypeVar("_T")


class HandshakeError(ValueError):
    """The other side's handshake is malformed or does not prove its key; the message says which."""


class ClientInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client says of itself."""

    version: int = 0
    mesh_key: str = msgspec.field(name="meshKey", default="")
    """64 hex digits from a relay of the same region, empty from a client."""
    can_ack_pings: bool = msgspec.field(name="CanAckPings", default=False)
    is_prober: bool = msgspec.field(name="IsProber", default=False)


class ServerInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a relay says of itself; the client limits its own sending to a rate that is not zero."""

    version: int = 0
    bytes_per_second: int = msgspec.field(name="TokenBucketBytesPerSecond", default=0)
    burst: int = msgspec.field(name="TokenBucketBytesBurst", default=0)


_client_info = msgspec.json.Decoder(ClientInfo)
_server_info = msgspec.json.Decoder(ServerInfo)


def parse_server_key(payload: bytes) -> bytes:
    """The relay's public key from a ServerKey's payload; later versions may append to it."""
    end = len(MAGIC) + KEY_SIZE
    if len(payload) < end or not payload.startswith(MAGIC):
        raise HandshakeError("the server key frame does not begin with DERP's magic and a key")
    return payload[len(MAGIC) : end]


def client_info(private: PrivateKey, server: bytes, info: ClientInfo, nonce: bytes = b"") -> bytes:
    """The ClientInfo frame; a nonce is given only to reproduce a test vector."""
    sealed = _seal(private, server, msgspec.json.encode(info), nonce)
    return frame(FrameType.CLIENT_INFO, private.public + sealed)


def open_client_info(private: PrivateKey, payload: bytes) -> tuple[bytes, ClientInfo]:
    """A client's public key and what it says, from a ClientInfo's payload."""
    client, sealed = payload[:KEY_SIZE], payload[KEY_SIZE:]
    return client, _decode(_client_info, _open(private, client, sealed))


def server_info(private: PrivateKey, client: bytes, *, bytes_per_second: int = 0, burst: int = 0) -> bytes:
    """The ServerInfo frame for a client."""
    info = ServerInfo(VERSION, bytes_per_second, burst)
    return frame(FrameType.SERVER_INFO, _seal(private, client, msgspec.json.encode(info)))


def open_server_info(private: PrivateKey, server: bytes, payload: bytes) -> ServerInfo:
    """What the relay says, from a ServerInfo's payload."""
    return _decode(_server_info, _open(private, server, payload))


def _seal(private: PrivateKey, public: bytes, message: bytes, nonce: bytes = b"") -> bytes:
    nonce = nonce or random_bytes(NONCE_SIZE)
    sealed: bytes = crypto_box(message, nonce, public, private.raw)
    return nonce + sealed


def _open(private: PrivateKey, public: bytes, sealed: bytes) -> bytes:
    if len(public) != KEY_SIZE or len(sealed) < NONCE_SIZE:
        raise HandshakeError("the handshake frame is too short for a key and a box")
    try:
        message: bytes = crypto_box_open(sealed[NONCE_SIZE:], sealed[:NONCE_SIZE], public, private.raw)
    except (CryptoError, ValueError, TypeError) as error:
        raise HandshakeError("the box does not open: the sender lacks the private half of its key") from error
    return message


def _decode(decoder: msgspec.json.Decoder[_T], message: bytes) -> _T:
    try:
        return decoder.decode(message)
    except msgspec.MsgspecError as error:
        raise HandshakeError(f"the handshake's JSON is not as it should be: {error}") from error
