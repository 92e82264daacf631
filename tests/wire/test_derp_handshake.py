"""The boxes of DERP's handshake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire.derp.frames import server_key
from hatsize.wire.derp.handshake import (
    ClientInfo,
    HandshakeError,
    ServerInfo,
    client_info,
    open_client_info,
    open_server_info,
    parse_server_key,
    server_info,
)
from hatsize.wire.keys import PrivateKey

CLIENT = PrivateKey(bytes(range(32)))
RELAY = PrivateKey(bytes(range(32, 64)))
VECTOR = "000102030405060708090a0b0c0d0e0f1011121314151617b180b3f5eb0e99721944e594af753a9e18f0c9550e0b21c02f518cc359"


def test_the_vector_of_the_reference():
    frame = client_info(CLIENT, RELAY.public, ClientInfo(version=2), nonce=bytes(range(24)))
    assert frame[:5].hex() == f"02{len(frame) - 5:08x}"
    assert frame[5:37] == CLIENT.public
    assert frame[37:].hex() == VECTOR
    assert open_client_info(RELAY, frame[5:]) == (CLIENT.public, ClientInfo(version=2))


def test_a_client_says_what_it_is():
    said = ClientInfo(version=2, mesh_key="ab" * 32, can_ack_pings=True, is_prober=True)
    assert open_client_info(RELAY, client_info(CLIENT, RELAY.public, said)[5:])[1] == said


def test_a_relay_says_what_it_is():
    frame = server_info(RELAY, CLIENT.public, bytes_per_second=1000, burst=70000)
    assert open_server_info(CLIENT, RELAY.public, frame[5:]) == ServerInfo(2, 1000, 70000)


def test_the_server_key_may_grow():
    frame = server_key(RELAY.public)
    assert frame.hex() == "0100000028" + "44455250f09f9491" + RELAY.public.hex()
    assert parse_server_key(frame[5:] + b"later") == RELAY.public


@pytest.mark.parametrize("payload", [b"", b"DERP", b"derp\xf0\x9f\x94\x91" + bytes(32)])
def test_what_is_not_a_server_key(payload):
    with pytest.raises(HandshakeError, match="magic"):
        parse_server_key(payload)


def test_another_s_key_opens_nothing():
    frame = client_info(PrivateKey.generate(), RELAY.public, ClientInfo(version=2))
    with pytest.raises(HandshakeError, match="private half"):
        open_client_info(RELAY, CLIENT.public + frame[37:])


def test_json_of_another_shape():
    frame = client_info(CLIENT, RELAY.public, ClientInfo(mesh_key=7))  # type: ignore[arg-type]
    with pytest.raises(HandshakeError, match="meshKey"):
        open_client_info(RELAY, frame[5:])


@given(st.binary(max_size=200))
def test_no_payload_raises_anything_else(payload):
    with pytest.raises(HandshakeError):
        open_client_info(RELAY, payload)
