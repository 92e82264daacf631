"""Keys in text and behind it."""

import pytest

from hatsize.wire import keys

RAW = bytes(range(32))


@pytest.mark.parametrize(
    ("write", "parse"),
    [
        (keys.machine_key, keys.parse_machine_key),
        (keys.node_key, keys.parse_node_key),
        (keys.disco_key, keys.parse_disco_key),
    ],
)
def test_a_key_is_read_back_in_lower_case(write, parse):
    text = write(RAW)
    prefix, _, digits = text.partition(":")
    assert parse(f"{prefix}:{digits.upper()}") == text
    assert keys.raw_key(text) == RAW


@pytest.mark.parametrize("text", ["", "nodekey:", "mkey:" + "0" * 64, "nodekey:" + "0" * 63, "nodekey:" + "g" * 64])
def test_what_is_no_key_is_refused_without_being_repeated(text):
    with pytest.raises(keys.KeyFormatError) as caught:
        keys.parse_node_key(text)
    assert str(caught.value) == "expected 'nodekey:' and 64 hexadecimal digits"


def test_a_raw_key_has_32_bytes():
    with pytest.raises(keys.KeyFormatError):
        keys.node_key(RAW[1:])
    with pytest.raises(keys.KeyFormatError):
        keys.PrivateKey(RAW[1:])


def test_no_text_and_the_zero_key_are_none():
    assert keys.is_zero("")
    assert keys.is_zero(keys.ZERO_NODE_KEY)
    assert not keys.is_zero(keys.node_key(RAW))


def test_a_private_key_is_read_back_and_does_not_show():
    key = keys.PrivateKey.generate()
    assert keys.PrivateKey.parse(key.text() + "\n").public == key.public
    assert key.raw.hex() not in repr(key)


def test_two_keys_agree_on_a_secret():
    one, other = keys.PrivateKey.generate(), keys.PrivateKey.generate()
    assert one.exchange(other.public) == other.exchange(one.public)


def test_no_secret_is_shared_with_the_zero_key():
    with pytest.raises(ValueError, match="no shared secret"):
        keys.PrivateKey.generate().exchange(bytes(32))
