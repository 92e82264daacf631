"""Frames of a map stream."""

import contextlib
import struct

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire import mapframe
from hatsize.wire.mapframe import KEEPALIVE, KEEPALIVE_ZSTD, FrameError, FrameReader, compress, frame


def test_a_frame_begins_with_its_length_in_little_endian():
    assert frame(b'{"a":1}') == b"\x07\x00\x00\x00" + b'{"a":1}'


def test_the_keepalive_is_one_field():
    assert KEEPALIVE[4:] == b'{"KeepAlive":true}'
    assert list(FrameReader(compressed=True).receive(KEEPALIVE_ZSTD)) == [b'{"KeepAlive":true}']


def test_zstd_streams_may_stand_behind_one_another():
    both = frame(compress(b'{"a":'), compress(b"1}"))
    assert list(FrameReader(compressed=True).receive(both)) == [b'{"a":1}']


@given(st.lists(st.binary(min_size=1)), st.integers(1, 40), st.booleans())
def test_messages_survive_any_cut(messages, step, compressed):
    stream = b"".join(frame(compress(m) if compressed else m) for m in messages)
    reader = FrameReader(compressed=compressed)
    pieces = [stream[i : i + step] for i in range(0, len(stream), step)]
    assert [m for piece in pieces for m in reader.receive(piece)] == messages


def test_a_frame_that_is_too_long_is_refused_at_its_head():
    with pytest.raises(FrameError, match="bytes"):
        list(FrameReader(compressed=False).receive(struct.pack("<I", mapframe.MAX_FRAME + 1)))


def test_a_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(mapframe, "MAX_FRAME", 1000)
    with pytest.raises(FrameError, match="too much"):
        list(FrameReader(compressed=True).receive(frame(compress(bytes(1001)))))


def test_what_is_no_zstd_is_refused():
    with pytest.raises(FrameError, match="does not decompress"):
        list(FrameReader(compressed=True).receive(frame(b"{}")))


@given(st.binary())
def test_any_frame_is_read_or_refused(body):
    with contextlib.suppress(FrameError):
        list(FrameReader(compressed=True).receive(frame(body)))


def test_any_zstd_reader_takes_it():
    assert zstandard.ZstdDecompressor().decompress(compress(b"x" * 100)) == b"x" * 100
