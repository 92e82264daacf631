"""Parts of a map response, encoded and compressed once and then shared by every session that needs them.

A message is one JSON object cut into pieces. For a client that asked for zstd each piece is a frame of its own: the Go
clients decode concatenated frames as one (protocol fact sheet, pitfalls).
"""

from collections.abc import Iterable
from struct import Struct

import zstandard

_LENGTH = Struct("<I")
_COMPRESSOR = zstandard.ZstdCompressor(level=1, write_content_size=True)


class Piece:
    """Bytes of a message, with their compressed form made when it is first asked for."""

    __slots__ = ("_packed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._packed: bytes | None = None

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = _COMPRESSOR.compress(self.raw)
        return self._packed


def frame(pieces: Iterable[Piece], *, zstd: bool) -> bytes:
    """The wire form of one message: its length, 4 bytes little-endian, and its pieces."""
    body = b"".join([piece.packed if zstd else piece.raw for piece in pieces])
    return _LENGTH.pack(len(body)) + body


def members(named: Iterable[tuple[str, bytes]]) -> bytes:
    """`"name":value,…`: members of a JSON object, without its braces."""
    return b",".join([b'"' + name.encode() + b'":' + value for name, value in named])
