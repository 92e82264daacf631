"""Messages put together from bytes and shared pieces."""

import json

import pytest

from hatsize.netmap.pieces import Draft, Piece, frame
from hatsize.wire.mapframe import FrameReader


def read(message, *, zstd):
    (body,) = FrameReader(compressed=zstd).receive(message)
    return json.loads(body)


@pytest.mark.parametrize("zstd", [True, False])
def test_a_draft_becomes_one_object_of_its_members(zstd):
    draft = Draft()
    draft.add("Peers", b"[", Piece(b"1,2"), b",3]")
    draft.add("Domain", b'"example.com"')
    assert read(draft.frame(zstd=zstd), zstd=zstd) == {"Peers": [1, 2, 3], "Domain": "example.com"}


def test_a_draft_is_true_once_it_has_a_member():
    draft = Draft()
    assert not draft
    draft.add("Debug", b"{}")
    assert draft


def test_a_piece_is_compressed_once_and_can_still_be_had_plain():
    piece = Piece(b'{"A":1}')
    assert piece.packed is piece.packed
    assert piece.raw == b'{"A":1}'
    assert read(frame([piece], zstd=False), zstd=False) == {"A": 1}


def test_neighbouring_bytes_are_compressed_together():
    together = frame([b'{"A":', b"[", b"1", b"]", b"}"], zstd=True)
    assert together == frame([b'{"A":[1]}'], zstd=True)
