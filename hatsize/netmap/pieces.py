"""Parts of a map response, encoded and compressed once and then shared by every session that needs them.

A message is one JSON object cut into pieces. For a client that asked for zstd each piece is a frame of its own: the Go
clients decode concatenated frames as one (protocol fact sheet, pitfalls).
"""

from collections.abc import Iterable, Iterator

from hatsize.wire import mapframe


class Piece:
    """Bytes of a message. Keeps them plain, or compressed once that was asked for, which nearly every client does."""

    __slots__ = ("_packed", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw: bytes | None = raw
        self._packed: bytes | None = None

    @property
    def raw(self) -> bytes:
        return mapframe.decompress(self._packed or b"") if self._raw is None else self._raw

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            self._packed, self._raw = mapframe.compress(self.raw), None
        return self._packed


Part = bytes | Piece
"""Bytes of one message alone, or a piece of several."""


class Draft:
    """A message while it is put together, member by member."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[Part] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, name: str, *value: Part) -> None:
        """Add a member; its value is the JSON of the parts together."""
        self._parts += ((b',"' if self._parts else b'{"') + name.encode() + b'":', *value)

    def frame(self, *, zstd: bool) -> bytes:
        """The wire form of the message; there must be a member."""
        return frame([*self._parts, b"}"], zstd=zstd)


def frame(parts: Iterable[Part], *, zstd: bool) -> bytes:
    """The wire form of one message: its length, 4 bytes little-endian, and its JSON, which the parts are together."""
    if zstd:
        parts = [part.packed for part in _merged(parts)]
    return mapframe.frame(*[part.raw if isinstance(part, Piece) else part for part in parts])


def _merged(parts: Iterable[Part]) -> Iterator[Piece]:
    """The parts with neighbouring bytes in one piece."""
    alone: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            alone.append(part)
            continue
        if alone:
            yield Piece(b"".join(alone))
            alone = []
        yield part
    if alone:
        yield Piece(b"".join(alone))
