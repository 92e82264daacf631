"""The early payload before HTTP/2."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire.early import early_payload, split_early
from hatsize.wire.tailcfg import WireError

PAYLOAD = early_payload(b"\xab" * 32)


def test_it_is_magic_length_and_json():
    assert PAYLOAD[:9] == b"\xff\xff\xffTS\x00\x00\x00" + bytes([len(PAYLOAD) - 9])
    assert json.loads(PAYLOAD[9:]) == {"nodeKeyChallenge": "chalpub:" + "ab" * 32}


def test_a_client_splits_it_off():
    early, rest = split_early(PAYLOAD + b"h2")
    assert (early.NodeKeyChallenge, rest) == ("chalpub:" + "ab" * 32, b"h2")


@pytest.mark.parametrize("size", range(len(PAYLOAD)))
def test_a_client_waits_while_it_may_be_coming(size):
    assert split_early(PAYLOAD[:size]) is None


@pytest.mark.parametrize("data", [b"\x00", b"\xff\xff\xffTX", b"\x00\x00\x12\x04\x00"])
def test_a_server_may_leave_it_out(data):
    assert split_early(data) == (None, data)


@pytest.mark.parametrize("data", [PAYLOAD[:5] + b"\x00\x10\x00\x00", PAYLOAD[:5] + b"\x00\x00\x00\x01{"])
def test_a_broken_one_is_refused(data):
    with pytest.raises(WireError):
        split_early(data)


@given(st.binary())
def test_any_bytes_are_split_or_refused(data):
    for start in (b"", PAYLOAD[:5], PAYLOAD[:8]):
        with contextlib.suppress(WireError):
            split_early(start + data)
