"""The bytes of DERP's frames."""

import pytest

from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import GoneReason, PresentFlags

A, B = b"A" * 32, b"B" * 32


@pytest.mark.parametrize(
    ("frame", "head", "payload"),
    [
        (frames.send_packet(A, b"data"), "0400000024", A + b"data"),
        (frames.recv_packet(A, b"data"), "0500000024", A + b"data"),
        (frames.forward_packet(A, B, b"data"), "0a00000044", A + B + b"data"),
        (frames.KEEP_ALIVE, "0600000000", b""),
        (frames.note_preferred(home=True), "0700000001", b"\x01"),
        (frames.note_preferred(home=False), "0700000001", b"\x00"),
        (frames.peer_gone(A, GoneReason.NOT_HERE), "0800000021", A + b"\x01"),
        (frames.WATCH_CONNS, "1000000000", b""),
        (frames.close_peer(A), "1100000020", A),
        (frames.ping(b"12345678"), "1200000008", b"12345678"),
        (frames.pong(b"12345678"), "1300000008", b"12345678"),
        (frames.restarting(2500, 60000), "1500000008", bytes.fromhex("000009c40000ea60")),
    ],
)
def test_a_frame_is_a_head_and_a_payload(frame, head, payload):
    assert frame == bytes.fromhex(head) + payload


@pytest.mark.parametrize(
    ("address", "raw"),
    [
        ("192.0.2.1", "00000000000000000000ffffc0000201"),
        ("2001:db8::1", "20010db8000000000000000000000001"),
        ("", "00" * 16),
        ("unix", "00" * 16),
    ],
)
def test_a_present_peer_has_an_address_in_sixteen_bytes(address, raw):
    flags = PresentFlags.REGULAR | PresentFlags.NOT_IDEAL
    assert frames.peer_present(A, address, 443, flags).hex() == "0900000033" + A.hex() + raw + "01bb" + "09"


def test_disco_packets_are_known_by_their_magic_and_size():
    assert frames.looks_like_disco(frames.DISCO_MAGIC + bytes(56))
    assert not frames.looks_like_disco(frames.DISCO_MAGIC + bytes(55))
    assert not frames.looks_like_disco(bytes(62))
