"""The frames of a map stream.

```
length u32 LE of what follows | one MapResponse as JSON, zstd-compressed when the client asked for it
```
Several zstd streams may stand behind one another in a frame and decompress to the one JSON text. Source: protocol
fact sheet, 5.2.
"""

import struct
import threading
from collections.abc import Iterable

import zstandard

MAX_FRAME = 64 << 20
"""Bytes of a frame, and of its JSON, that a reader of ours takes."""
_LENGTH = struct.Struct("<I")
_LEVEL = 1
_PER_THREAD = threading.local()  # zstandard's compressors are not thread-safe, and dear to make


class FrameError(ValueError):
    """The map stream cannot be read on."""


def compress(json: bytes) -> bytes:
    """One zstd stream; may be called in any thread, and lets other threads run meanwhile."""
    compressor: zstandard.ZstdCompressor | None = getattr(_PER_THREAD, "compressor", None)
    if compressor is None:
        compressor = _PER_THREAD.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    return compressor.compress(json)


def frame(*parts: bytes) -> bytes:
    """One frame of the parts: pieces of JSON, or zstd streams of such pieces."""
    return b"".join((_LENGTH.pack(sum(map(len, parts))), *parts))


KEEPALIVE = frame(b'{"KeepAlive":true}')
KEEPALIVE_ZSTD = frame(compress(b'{"KeepAlive":true}'))
"""Always the same bytes, which clients recognise without decompressing them."""


class FrameReader:
    """A client's side: bytes cut anywhere to the JSON of each message."""

    def __init__(self, *, compressed: bool) -> None:
        self._compressed = compressed
        self._pending = b""

    def receive(self, data: bytes) -> Iterable[bytes]:
        """The messages that are complete now; raises FrameError for one that is too long or does not decompress."""
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            length: int = _LENGTH.unpack_from(self._pending)[0]
            if length > MAX_FRAME:
                raise FrameError(f"a map frame of {length} bytes")
            end = _LENGTH.size + length
            if len(self._pending) < end:
                return
            body, self._pending = self._pending[_LENGTH.size : end], self._pending[end:]
            yield decompress(body) if self._compressed else body


def decompress(body: bytes) -> bytes:
    """The JSON of zstd streams behind one another; raises FrameError."""
    reader = zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True)
    try:
        json: bytes = reader.read(MAX_FRAME + 1)
    except zstandard.ZstdError:
        raise FrameError("a map frame does not decompress") from None
    if len(json) > MAX_FRAME:
        raise FrameError("a map frame decompresses to too much")
    return json
