"""The records of a ts2021 connection after its handshake: a sealed byte stream for each direction.

```
record  04 | length u16 BE of the ciphertext | ciphertext (plaintext and 16-byte tag)
```
ChaCha20-Poly1305 without associated data; the nonce is four zero bytes and a big-endian counter. A frame has at most
4096 bytes. Where records end means nothing. After an error a stream is dead. Source: protocol fact sheet, 2.4.
"""

import struct
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAX_FRAME = 4096
MAX_PLAINTEXT = MAX_FRAME - 3 - 16
_KIND = 4
_TAG = 16
_COUNTER_LIMIT = 2**64 - 1
"""The counter that may not be used."""
_head = struct.Struct(">BH").pack
_unpack_head = struct.Struct(">BH").unpack_from
_nonce = struct.Struct(">4xQ").pack


class RecordError(ValueError):
    """The stream is broken and the connection must end."""


class Sealer:
    """Seals one direction of a connection under a 32-byte key."""

    __slots__ = ("_counter", "_encrypt")

    def __init__(self, key: bytes, counter: int = 0) -> None:
        self._encrypt = ChaCha20Poly1305(key).encrypt
        self._counter = counter

    def seal(self, data: bytes) -> bytes:
        """The records that carry `data`, in one piece; none for no data. Raises RecordError when the key is used up."""
        counter = self._counter
        if 0 < len(data) <= MAX_PLAINTEXT and counter < _COUNTER_LIMIT:
            self._counter = counter + 1
            return _head(_KIND, len(data) + _TAG) + self._encrypt(_nonce(counter), data, None)
        return b"".join(self._records(data))

    def _records(self, data: bytes) -> Iterable[bytes]:
        view = memoryview(data)
        for start in range(0, len(data), MAX_PLAINTEXT):
            chunk = view[start : start + MAX_PLAINTEXT]
            if self._counter >= _COUNTER_LIMIT:
                raise RecordError("the connection's key is used up")
            yield _head(_KIND, len(chunk) + _TAG)
            yield self._encrypt(_nonce(self._counter), chunk, None)
            self._counter += 1


class Opener:
    """Opens the other direction, from bytes cut anywhere."""

    __slots__ = ("_counter", "_decrypt", "_pending")

    def __init__(self, key: bytes, counter: int = 0) -> None:
        self._decrypt = ChaCha20Poly1305(key).decrypt
        self._counter = counter
        self._pending = b""

    def receive(self, data: bytes) -> bytes:
        """The plaintext of all records that are complete now; raises RecordError at the first bad one.

        Keeps at most one incomplete record.
        """
        if self._pending:
            data = self._pending + data
        view, position, size = memoryview(data), 0, len(data)
        plaintexts = []
        while size - position >= 3:
            kind, length = _unpack_head(data, position)
            if kind != _KIND or not _TAG <= length <= MAX_FRAME - 3:
                raise RecordError("not a record" if kind != _KIND else f"a record of {length} bytes")
            start, end = position + 3, position + 3 + length
            if end > size:
                break
            plaintexts.append(self._open(view[start:end]))
            position = end
        self._pending = data[position:]
        return b"".join(plaintexts)

    def _open(self, sealed: memoryview) -> bytes:
        if self._counter >= _COUNTER_LIMIT:
            raise RecordError("the connection's key is used up")
        try:
            plaintext = self._decrypt(_nonce(self._counter), sealed, None)
        except InvalidTag:
            raise RecordError("a record does not decrypt") from None
        self._counter += 1
        return plaintext
