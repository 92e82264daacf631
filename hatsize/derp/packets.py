"""What the relay does with the frames inside a run, on the rare paths where a run is not passed on whole."""

from collections.abc import Iterator
from struct import Struct

from hatsize.wire.derp.frames import DISCO_MAGIC, HEADER_SIZE, KEY_SIZE, forward_packet, looks_like_disco

OVERHEAD = HEADER_SIZE + KEY_SIZE
"""Bytes of a RecvPacket frame that are not the packet's."""

_HEADER = Struct(">BI")


def relayed(run: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Each RecvPacket frame of a run, with the packet inside it."""
    at = 0
    while at < len(run):
        _, length = _HEADER.unpack_from(run, at)
        stop = at + HEADER_SIZE + length
        yield bytes(run[at:stop]), bytes(run[at + OVERHEAD : stop])
        at = stop


def disco_frames(run: bytearray) -> list[bytes]:
    """The frames of a run that carry path discovery."""
    if DISCO_MAGIC not in run:
        return []
    return [frame for frame, packet in relayed(run) if looks_like_disco(packet)]


def as_forwarded(source: bytes, destination: bytes, run: bytearray) -> bytes:
    """The run's packets as ForwardPacket frames for another relay."""
    return b"".join(forward_packet(source, destination, packet) for _, packet in relayed(run))
