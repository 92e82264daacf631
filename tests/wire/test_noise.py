"""The handshake, step by step, and every way to refuse it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire.keys import PrivateKey, machine_key
from hatsize.wire.noise import Initiator, NoiseError, accept, error_frame, initiation_version


def consecutive(first):
    return PrivateKey(bytes(range(first, first + 32)))


SERVER, MACHINE, CLIENT_EPHEMERAL, SERVER_EPHEMERAL = map(consecutive, (0x00, 0x20, 0x40, 0x60))
INITIATION = bytes.fromhex(
    "007101006079a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a5a5d3ec50c63b0e0156101cf138f46d05427ed"
    "87f592c2009bab26f178d726e32663622cd95d5b236779db1d7b53562f85150b18f98328a5cf9df741a33dcb84"
)
RESPONSE = bytes.fromhex(
    "020030675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f8e38f1ab7dd18225b2cdff99354a5389"
)
CLIENT_TO_SERVER = bytes.fromhex("8b2f6bbba15ce6d607c316355f2d3c93f62dcbe39b04eb873b5b2e2812dc71b6")
SERVER_TO_CLIENT = bytes.fromhex("e8f7da7193cd2dd7834427bc5de410cc7fa42ea2bddb06906a91b23daf60a99b")


def initiate(version=113):
    return Initiator(MACHINE, SERVER.public, version, CLIENT_EPHEMERAL)


def test_the_keys_of_the_vectors_are_the_sheets():
    assert SERVER.public.hex() == "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
    assert MACHINE.public.hex() == "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"


def test_the_initiation_is_the_vectors():
    assert initiate().message == INITIATION


def test_the_server_answers_the_vector():
    accepted = accept(SERVER, INITIATION, SERVER_EPHEMERAL)
    assert accepted.response == RESPONSE
    assert (accepted.keys.receive, accepted.keys.send) == (CLIENT_TO_SERVER, SERVER_TO_CLIENT)


def test_the_server_learns_who_calls_and_how_new_they_are():
    accepted = accept(SERVER, INITIATION)
    assert (accepted.machine, accepted.version) == (machine_key(MACHINE.public), 113)


def test_the_client_finishes_the_vector_and_keeps_what_follows():
    keys, rest = initiate().receive(RESPONSE + b"more")
    assert (keys.send, keys.receive, rest) == (CLIENT_TO_SERVER, SERVER_TO_CLIENT, b"more")


def test_the_client_takes_the_response_byte_by_byte():
    client = initiate()
    assert [client.receive(RESPONSE[i : i + 1]) for i in range(50)] == [None] * 50
    assert client.receive(RESPONSE[50:])


def test_both_sides_agree_with_fresh_keys():
    client = Initiator(PrivateKey.generate(), SERVER.public, 142)
    accepted = accept(SERVER, client.message)
    keys, _ = client.receive(accepted.response)
    assert (keys.send, keys.receive) == (accepted.keys.receive, accepted.keys.send)


@pytest.mark.parametrize("message", [b"", INITIATION[:-1], INITIATION + b"\0"])
def test_an_initiation_of_another_size_is_refused(message):
    with pytest.raises(NoiseError, match="101 bytes"):
        initiation_version(message)


@pytest.mark.parametrize("position", [2, 3, 4])
def test_an_initiation_with_another_head_is_refused(position):
    altered = bytearray(INITIATION)
    altered[position] ^= 1
    with pytest.raises(NoiseError, match="not a handshake initiation"):
        accept(SERVER, bytes(altered))


@given(st.integers(5, 100), st.integers(1, 255))
def test_an_altered_initiation_is_refused(position, flip):
    altered = bytearray(INITIATION)
    altered[position] ^= flip
    with pytest.raises(NoiseError):
        accept(SERVER, bytes(altered))


@pytest.mark.parametrize("position", [0, 1, 36])
def test_what_is_only_hashed_is_protected_too(position):
    altered = bytearray(INITIATION)
    altered[position] ^= 0x80
    with pytest.raises(NoiseError, match="does not decrypt"):
        accept(SERVER, bytes(altered))


def test_an_initiation_for_another_server_is_refused():
    with pytest.raises(NoiseError, match="does not decrypt"):
        accept(PrivateKey.generate(), INITIATION)


def test_an_ephemeral_of_low_order_is_refused():
    with pytest.raises(NoiseError, match="no shared secret"):
        accept(SERVER, INITIATION[:5] + bytes(32) + INITIATION[37:])


def test_a_client_refuses_a_server_key_of_low_order():
    with pytest.raises(NoiseError, match="no shared secret"):
        Initiator(MACHINE, bytes(32), 113)


def test_the_servers_words_reach_the_client():
    with pytest.raises(NoiseError, match="refused: too old"):
        initiate().receive(error_frame("too old"))


def test_long_words_are_cut_between_characters():
    frame = error_frame("é" * 1000)
    assert frame[:3] == b"\x03\x03\xe8"
    assert frame[3:].decode() == "é" * 500


def test_an_error_frame_is_waited_for():
    assert initiate().receive(error_frame("too old")[:-1]) is None


@pytest.mark.parametrize("frame", [b"\x02\x00\x31", b"\x04\x00\x30", b"HTTP/1.1", b"\x03\xff\xff"])
def test_what_is_no_response_is_refused_at_its_head(frame):
    with pytest.raises(NoiseError, match="not a handshake response"):
        initiate().receive(frame)


@given(st.integers(0, 50), st.integers(1, 255))
def test_an_altered_response_gives_no_keys(position, flip):
    altered = bytearray(RESPONSE)
    altered[position] ^= flip
    with contextlib.suppress(NoiseError):
        assert initiate().receive(bytes(altered)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(message):
    with pytest.raises(NoiseError):
        accept(SERVER, message)


def test_keys_do_not_show():
    assert CLIENT_TO_SERVER.hex() not in repr(accept(SERVER, INITIATION).keys)
