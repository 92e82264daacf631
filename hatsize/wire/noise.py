"""The ts2021 handshake: Noise IK over X25519, ChaCha20-Poly1305 and BLAKE2s, both sides, without input or output.

```
initiation  version u16 BE | 01 | length u16 BE = 96 | ephemeral 32 | sealed machine key 48 | tag 16
response    02 | length u16 BE = 48 | ephemeral 32 | tag 16
error       03 | length u16 BE | UTF-8 text, unencrypted, instead of the response
```
Source: protocol fact sheet, 2.4; Noise revision 34, pattern IK.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from hatsize.wire.keys import MachineKey, PrivateKey, machine_key

INITIATION_SIZE = 101
RESPONSE_SIZE = 51
MAX_ERROR = 1000
"""Bytes of an error's text, on either side."""

_NAME = b"Noise_IK_25519_ChaChaPoly_BLAKE2s"
_PROLOGUE = b"Tailscale Control Protocol v"
_INITIATION, _RESPONSE, _ERROR = 1, 2, 3
_INITIATION_HEAD = struct.Struct(">HBH")
_HEAD = struct.Struct(">BH")
_NONCE = bytes(12)


class NoiseError(ValueError):
    """The handshake failed. The message holds no key."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a handshake leaves: one key for each direction, 32 bytes each."""

    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handshake the server has finished once it has sent `response`."""

    version: int
    """The client's capability version, authenticated by the handshake."""
    machine: MachineKey
    response: bytes
    keys: Keys


def initiation_version(message: bytes) -> int:
    """The capability version an initiation claims, before any cryptography; raises NoiseError."""
    if len(message) != INITIATION_SIZE:
        raise NoiseError(f"a handshake initiation has {INITIATION_SIZE} bytes, not {len(message)}")
    version, kind, length = _INITIATION_HEAD.unpack_from(message)
    if (kind, length) != (_INITIATION, INITIATION_SIZE - _INITIATION_HEAD.size):
        raise NoiseError("not a handshake initiation")
    return int(version)


def accept(static: PrivateKey, message: bytes, ephemeral: PrivateKey | None = None) -> Accepted:
    """Answer a client's initiation; raises NoiseError. `ephemeral` is for test vectors only."""
    version = initiation_version(message)
    state = _Symmetric(version, static.public)
    client_ephemeral = message[5:37]
    state.mix_hash(client_ephemeral)
    state.mix_key(_exchange(static, client_ephemeral))
    machine = state.open(message[37:85])
    state.mix_key(_exchange(static, machine))
    state.open(message[85:])
    own = ephemeral or PrivateKey.generate()
    state.mix_hash(own.public)
    state.mix_key(_exchange(own, client_ephemeral))
    state.mix_key(_exchange(own, machine))
    response = _HEAD.pack(_RESPONSE, RESPONSE_SIZE - _HEAD.size) + own.public + state.seal(b"")
    receive, send = state.split()
    return Accepted(version, machine_key(machine), response, Keys(send=send, receive=receive))


def error_frame(text: str) -> bytes:
    """What is sent instead of a response; the client shows or logs the text."""
    encoded = text.encode()[:MAX_ERROR].decode(errors="ignore").encode()
    return _HEAD.pack(_ERROR, len(encoded)) + encoded


class Initiator:
    """A client's side of the handshake: send `message`, then feed what comes until there are keys."""

    def __init__(self, machine: PrivateKey, server: bytes, version: int, ephemeral: PrivateKey | None = None) -> None:
        """Begin a handshake with the server whose 32-byte public key is `server`; raises NoiseError."""
        self._machine = machine
        self._ephemeral = own = ephemeral or PrivateKey.generate()
        self._state = state = _Symmetric(version, server)
        self._buffer = b""
        state.mix_hash(own.public)
        state.mix_key(_exchange(own, server))
        sealed = state.seal(machine.public)
        state.mix_key(_exchange(machine, server))
        head = _INITIATION_HEAD.pack(version, _INITIATION, INITIATION_SIZE - _INITIATION_HEAD.size)
        self.message: bytes = head + own.public + sealed + state.seal(b"")

    def receive(self, data: bytes) -> tuple[Keys, bytes] | None:
        """Take bytes from the server: None while more are needed, then the keys and the bytes behind the response."""
        self._buffer += data
        if len(self._buffer) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._buffer)
        end = _HEAD.size + length
        if kind == _ERROR and length <= MAX_ERROR:
            if len(self._buffer) < end:
                return None
            raise NoiseError("the server refused: " + self._buffer[_HEAD.size : end].decode(errors="replace"))
        if (kind, end) != (_RESPONSE, RESPONSE_SIZE):
            raise NoiseError("not a handshake response")
        if len(self._buffer) < end:
            return None
        return self._finish(self._buffer[:end]), self._buffer[end:]

    def _finish(self, response: bytes) -> Keys:
        state, server_ephemeral = self._state, response[3:35]
        state.mix_hash(server_ephemeral)
        state.mix_key(_exchange(self._ephemeral, server_ephemeral))
        state.mix_key(_exchange(self._machine, server_ephemeral))
        state.open(response[35:])
        send, receive = state.split()
        return Keys(send=send, receive=receive)


class _Symmetric:
    """Noise's symmetric state. Every key is used once at most, so the nonce is always zero."""

    __slots__ = ("_chaining", "_hash", "_key")

    def __init__(self, version: int, server: bytes) -> None:
        self._hash = self._chaining = hashlib.blake2s(_NAME).digest()
        self._key = b""
        self.mix_hash(_PROLOGUE + str(version).encode())
        self.mix_hash(server)

    def mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.blake2s(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chaining, self._key = _derive(self._chaining, secret)

    def seal(self, plaintext: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self._key).encrypt(_NONCE, plaintext, self._hash)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        try:
            plaintext = ChaCha20Poly1305(self._key).decrypt(_NONCE, sealed, self._hash)
        except InvalidTag:
            raise NoiseError("the handshake does not decrypt: it was made for another key or altered") from None
        self.mix_hash(sealed)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """The keys client to server, and server to client."""
        return _derive(self._chaining, b"")


def _derive(salt: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """HKDF with HMAC-BLAKE2s, no info, 64 bytes as two keys (RFC 5869)."""
    extracted = hmac.new(salt, secret, hashlib.blake2s).digest()
    first = hmac.new(extracted, b"\x01", hashlib.blake2s).digest()
    return first, hmac.new(extracted, first + b"\x02", hashlib.blake2s).digest()


def _exchange(own: PrivateKey, public: bytes) -> bytes:
    try:
        return own.exchange(public)
    except ValueError:
        raise NoiseError("the peer's public key gives no shared secret") from None
