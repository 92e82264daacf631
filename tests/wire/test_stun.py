"""STUN as Tailscale clients speak it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire.stun import build_request, build_response, parse_request

TRANSACTION = bytes(range(1, 13))
REQUEST = bytes.fromhex("000100142112a4420102030405060708090a0b0c802200087461696c6e6f646580280004b32c370f")
BARE = REQUEST[:2] + bytes(2) + REQUEST[4:20]


def test_the_request_of_the_reference():
    assert build_request(TRANSACTION) == REQUEST
    assert parse_request(REQUEST) == TRANSACTION


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("203.0.113.7", "0101000c2112a4420102030405060708090a0b0c002000080001eb7eea12d545"),
        ("::ffff:203.0.113.7", "0101000c2112a4420102030405060708090a0b0c002000080001eb7eea12d545"),
        ("2001:db8::7", "010100182112a4420102030405060708090a0b0c002000140002eb7e0113a9fa0102030405060708090a0b0b"),
        (
            "2001:db8::7%eth0",
            "010100182112a4420102030405060708090a0b0c002000140002eb7e0113a9fa0102030405060708090a0b0b",
        ),
    ],
)
def test_the_answers_of_the_reference(address, answer):
    assert build_response(TRANSACTION, address, 51820).hex() == answer


def test_strict_wants_the_client_s_software_and_fingerprint():
    assert parse_request(BARE) is None
    assert parse_request(REQUEST[:-1] + b"\x00") is None
    assert parse_request(REQUEST.replace(b"tailnode", b"somebody")) is None


def test_lenient_takes_any_binding_request():
    assert parse_request(BARE, lenient=True) == TRANSACTION
    assert parse_request(REQUEST[:-1] + b"\x00", lenient=True) == TRANSACTION


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        REQUEST[:-1],
        REQUEST + b"\x00",
        b"\x01\x01" + REQUEST[2:],
        REQUEST[:4] + bytes(4) + REQUEST[8:],
        REQUEST[:22] + b"\xff\xff" + REQUEST[24:],
        build_response(TRANSACTION, "192.0.2.1", 1),
        bytes(2000),
    ],
    ids=["empty", "short", "long", "answer", "no cookie", "attribute overruns", "own answer", "huge"],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_anything_else_gets_no_answer(datagram, lenient):
    assert parse_request(datagram, lenient=lenient) is None


def test_an_answer_is_hardly_longer_than_a_strict_request():
    assert len(build_response(TRANSACTION, "192.0.2.1", 1)) < len(REQUEST)
    assert len(build_response(TRANSACTION, "2001:db8::1", 1)) <= 1.1 * len(REQUEST)


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: REQUEST[:20] + tail), st.booleans())
def test_no_datagram_raises(datagram, lenient):
    assert parse_request(datagram, lenient=lenient) in {None, datagram[8:20]}


@given(st.binary(min_size=12, max_size=12))
def test_a_built_request_parses(transaction):
    assert parse_request(build_request(transaction)) == transaction
