"""The sealed byte streams after the handshake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire.records import MAX_PLAINTEXT, Opener, RecordError, Sealer

KEY = bytes.fromhex("8b2f6bbba15ce6d607c316355f2d3c93f62dcbe39b04eb873b5b2e2812dc71b6")
LAST = 2**64 - 2


def test_records_are_the_vectors():
    sealer = Sealer(KEY)
    assert sealer.seal(b"hello").hex() == "04001575f1f2d6777cc3f81453c77f9ff260bb221db186eb"
    assert sealer.seal(b"hello").hex() == "04001544b9b58daa0671bfb9e3db1e53510832fb0e594fa4"


@given(st.binary(max_size=3 * MAX_PLAINTEXT), st.lists(st.integers(1, 5000)))
def test_what_was_sealed_is_opened_however_it_is_cut(data, cuts):
    sealed, opener, opened = Sealer(KEY).seal(data), Opener(KEY), b""
    for cut in [*cuts, len(sealed)]:
        opened += opener.receive(sealed[:cut])
        sealed = sealed[cut:]
    assert opened == data


@pytest.mark.parametrize(("size", "records"), [(0, 0), (1, 1), (MAX_PLAINTEXT, 1), (MAX_PLAINTEXT + 1, 2)])
def test_a_frame_has_at_most_4096_bytes(size, records):
    sealed = Sealer(KEY).seal(bytes(size))
    assert len(sealed) == size + records * 19
    assert len(sealed[:4096]) == min(len(sealed), 4096)


def test_an_empty_record_is_skipped():
    empty = b"\x04\x00\x10" + Sealer(KEY)._encrypt(bytes(12), b"", None)
    opener = Opener(KEY)
    assert opener.receive(empty) == b""
    assert opener.receive(Sealer(KEY, 1).seal(b"x")) == b"x"


@pytest.mark.parametrize(
    "data", [b"\x03\x00\x10", b"GET / HTTP/1.1", b"\x04\x00\x0f", b"\x04\x0f\xfe", b"\x04\xff\xff", b"PRI * HTTP/2.0"]
)
def test_what_is_no_record_is_refused_at_its_head(data):
    with pytest.raises(RecordError, match=r"not a record|a record of"):
        Opener(KEY).receive(data)


@given(st.integers(3, 23), st.integers(1, 255))
def test_an_altered_record_is_refused(position, flip):
    altered = bytearray(Sealer(KEY).seal(b"hello"))
    altered[position] ^= flip
    with pytest.raises(RecordError, match="does not decrypt"):
        Opener(KEY).receive(bytes(altered))


def test_a_record_sent_twice_is_refused():
    opener, record = Opener(KEY), Sealer(KEY).seal(b"hello")
    opener.receive(record)
    with pytest.raises(RecordError, match="does not decrypt"):
        opener.receive(record)


@pytest.mark.parametrize("size", [1, MAX_PLAINTEXT + 1])
def test_the_last_counter_is_not_used(size):
    sealer = Sealer(KEY, LAST + 1)
    with pytest.raises(RecordError, match="used up"):
        sealer.seal(bytes(size))
    assert Opener(KEY, LAST).receive(Sealer(KEY, LAST).seal(b"x")) == b"x"
    with pytest.raises(RecordError, match="used up"):
        Opener(KEY, LAST + 1).receive(Sealer(KEY).seal(b"x"))


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_kept_or_refused(pieces):
    opener = Opener(KEY)
    try:
        for piece in pieces:
            opener.receive(piece)
    except RecordError:
        return
    assert len(opener._pending) < 4096
