"""Cuts a received DERP stream into runs of packets and single frames, without copying packets.

A packet's frame keeps its length from sender to receiver; only its type and its key change:

    received   04 · length · destination 32 · data
    relayed    05 · length · source 32      · data

So the splitter rewrites both in place, and consecutive packets for one destination stay one contiguous run of bytes
that is ready to be written. A forwarded packet (mesh) loses its second key, and so is a run of its own.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from hatsize.wire.derp.frames import HEADER_SIZE, KEY_SIZE, MAX_INFO, MAX_PACKET, FrameType

Run = tuple[bytes, bytes, int, int, int]
"""Source, destination, where in the buffer the ready frames begin and end, and how many packets they are."""
Frame = tuple[int, bytes]
"""A frame's type and payload."""

_READ_SIZE: Final = 64 * 1024
_CAPACITY: Final = HEADER_SIZE + MAX_INFO + _READ_SIZE
_MAX_SEND: Final = KEY_SIZE + MAX_PACKET
_MAX_FORWARD: Final = 2 * KEY_SIZE + MAX_PACKET
_MAX_CONTROL: Final = 1000
_HEAD = Struct(">BI32s")
_LIMITS: Final[dict[int, int]] = {
    kind: MAX_INFO if kind in {FrameType.CLIENT_INFO, FrameType.SERVER_INFO} else _MAX_CONTROL
    for kind in FrameType
    if kind not in {FrameType.SEND_PACKET, FrameType.RECV_PACKET, FrameType.FORWARD_PACKET}
}


class FrameError(ValueError):
    """A frame breaks the protocol, so the connection cannot go on; the message says how."""


class Buffer:
    """The memory that reads go into, shared by all connections of a thread: one read is used up before the next."""

    __slots__ = ("data", "room")

    def __init__(self) -> None:
        self.data = bytearray(_CAPACITY + KEY_SIZE)  # a header is read together with a key, even behind the last byte
        self.room = memoryview(self.data)[:_CAPACITY]


class Splitter:
    """What one connection keeps between two reads.

    `source` is the key whose packets arrive here; until the handshake has set it, a packet is an error.
    """

    __slots__ = ("_buffer", "_rest", "_skip", "mesh", "source", "unknown")

    def __init__(self, buffer: Buffer) -> None:
        self.source = b""
        self.mesh = False
        """Whether forwarded packets are allowed."""
        self.unknown = 0
        """How many frames of unknown types were skipped."""
        self._buffer = buffer
        self._rest: bytes | bytearray = b""
        self._skip = 0

    def lend(self) -> memoryview:
        """Where the next read goes: behind what is left of an incomplete frame."""
        held = len(self._rest)
        if not held:
            return self._buffer.room
        self._buffer.data[:held] = self._rest
        return self._buffer.room[held:]

    def feed(self, data: bytes) -> Iterator[tuple[list[Run], list[Frame]]]:
        """Split bytes that came otherwise than by a read into the lent memory, in as many steps as it takes."""
        while data:
            room = self.lend()
            size = min(len(room), len(data))
            room[:size] = data[:size]
            data = data[size:]
            yield self.split(size)

    def split(self, received: int) -> tuple[list[Run], list[Frame]]:
        """What the bytes just read complete; runs point into the buffer. Raises FrameError."""
        data = self._buffer.data
        end = len(self._rest) + received
        runs: list[Run] = []
        frames: list[Frame] = []
        at = self._skipped(end) if self._skip else 0
        source, head, rewrite = self.source, _HEAD.unpack_from, _HEAD.pack_into
        start = packets = 0
        destination = b""
        while at + HEADER_SIZE <= end:
            kind, length, key = head(data, at)
            if kind == 0x04 and source:
                stop = at + HEADER_SIZE + length
                if not KEY_SIZE <= length <= _MAX_SEND:
                    raise _bad_size("packet", length)
                if stop > end:
                    break
                if key != destination:
                    if packets:
                        runs.append((source, destination, start, at, packets))
                    start, destination, packets = at, key, 0
                rewrite(data, at, 0x05, length, source)
                packets += 1
                at = stop
            else:
                if packets:
                    runs.append((source, destination, start, at, packets))
                    packets, destination = 0, b""
                following = self._other(at, end, runs, frames)
                if following == at:
                    break
                at = following
        if packets:
            runs.append((source, destination, start, at, packets))
        self._rest = data[at:end] if at < end else b""
        return runs, frames

    def _other(self, at: int, end: int, runs: list[Run], frames: list[Frame]) -> int:
        """Take a frame that is no packet from a client; returns where the next begins, or `at` if it is incomplete."""
        kind: int
        length: int
        kind, length, _ = _HEAD.unpack_from(self._buffer.data, at)
        begin = at + HEADER_SIZE
        stop = begin + length
        if kind == FrameType.FORWARD_PACKET and self.source:
            return self._forwarded(at, begin + length, end, runs)
        if kind in {FrameType.SEND_PACKET, FrameType.FORWARD_PACKET}:
            raise FrameError("a packet came before the handshake's end")
        limit = _LIMITS.get(kind)
        if limit is None:
            self.unknown += 1
            self._skip = max(stop - end, 0)
            return min(stop, end)
        if length > limit:
            raise _bad_size(FrameType(kind).name, length)
        if stop > end:
            return at
        frames.append((kind, bytes(self._buffer.data[begin:stop])))
        return stop

    def _forwarded(self, at: int, stop: int, end: int, runs: list[Run]) -> int:
        """Turn `0a · length · source · destination · data` into RecvPacket, its header where the source was."""
        data = self._buffer.data
        length = stop - at - HEADER_SIZE
        if not self.mesh:
            raise FrameError("only a mesh peer may forward packets")
        if not 2 * KEY_SIZE <= length <= _MAX_FORWARD:
            raise _bad_size("forwarded packet", length)
        if stop > end:
            return at
        _, _, source = _HEAD.unpack_from(data, at)
        destination = bytes(data[at + HEADER_SIZE + KEY_SIZE : at + HEADER_SIZE + 2 * KEY_SIZE])
        start = at + KEY_SIZE
        _HEAD.pack_into(data, start, FrameType.RECV_PACKET, length - KEY_SIZE, source)
        runs.append((source, destination, start, stop, 1))
        return stop

    def _skipped(self, end: int) -> int:
        """How much of the bytes up to `end` still belongs to a skipped frame."""
        at = min(self._skip, end)
        self._skip -= at
        return at


def _bad_size(what: str, length: int) -> FrameError:
    return FrameError(f"a {what} frame cannot have a payload of {length} bytes")
