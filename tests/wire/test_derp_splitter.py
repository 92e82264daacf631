"""How a DERP stream is cut into runs of packets and single frames."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType, frame
from hatsize.wire.derp.splitter import Buffer, FrameError, Splitter

ME, A, B, C = (letter * 32 for letter in (b"m", b"A", b"B", b"C"))


def open_splitter(*, source=ME, mesh=False):
    splitter = Splitter(Buffer())
    splitter.source, splitter.mesh = source, mesh
    return splitter


def read(splitter, data):
    """Give bytes to a splitter; what came of them, runs as (source, destination, bytes, packets)."""
    room = splitter.lend()
    room[: len(data)] = data
    runs, control = splitter.split(len(data))
    memory = splitter._buffer.data
    return [(s, d, bytes(memory[start:stop]), n) for s, d, start, stop, n in runs], control


def test_packets_for_one_destination_are_one_run_ready_to_write():
    sent = frames.send_packet(A, b"one") + frames.send_packet(A, b"two")
    ready = frames.recv_packet(ME, b"one") + frames.recv_packet(ME, b"two")
    assert read(open_splitter(), sent) == ([(ME, A, ready, 2)], [])


def test_another_destination_begins_another_run():
    sent = frames.send_packet(A, b"1") + frames.send_packet(B, b"2") + frames.send_packet(A, b"3")
    runs, _ = read(open_splitter(), sent)
    assert [(run[1], run[2]) for run in runs] == [
        (A, frames.recv_packet(ME, b"1")),
        (B, frames.recv_packet(ME, b"2")),
        (A, frames.recv_packet(ME, b"3")),
    ]


def test_a_control_frame_among_packets():
    sent = frames.send_packet(A, b"1") + frames.ping(b"12345678") + frames.send_packet(A, b"2")
    runs, control = read(open_splitter(), sent)
    assert [run[2] for run in runs] == [frames.recv_packet(ME, b"1"), frames.recv_packet(ME, b"2")]
    assert control == [(FrameType.PING, b"12345678")]


def test_a_frame_in_two_reads():
    splitter, sent = open_splitter(), frames.send_packet(A, b"split in the middle")
    assert read(splitter, sent[:20]) == ([], [])
    assert read(splitter, sent[20:]) == ([(ME, A, frames.recv_packet(ME, b"split in the middle"), 1)], [])


def test_a_forwarded_packet_keeps_its_own_source():
    sent = frames.forward_packet(A, B, b"x") + frames.forward_packet(C, B, b"")
    runs, _ = read(open_splitter(mesh=True), sent)
    assert runs == [(A, B, frames.recv_packet(A, b"x"), 1), (C, B, frames.recv_packet(C, b""), 1)]


def test_only_a_mesh_peer_forwards():
    with pytest.raises(FrameError, match="mesh peer"):
        read(open_splitter(), frames.forward_packet(A, B, b"x"))


@pytest.mark.parametrize("sent", [frames.send_packet(A, b"x"), frames.forward_packet(A, B, b"x")])
def test_no_packet_before_the_handshake_s_end(sent):
    with pytest.raises(FrameError, match="handshake"):
        read(open_splitter(source=b"", mesh=True), sent)


def test_the_largest_packet_passes_and_the_next_does_not():
    largest = frames.send_packet(A, bytes(65536))
    runs, _ = read(open_splitter(), largest)
    assert runs[0][3] == 1
    with pytest.raises(FrameError, match="65569"):
        read(open_splitter(), frames.send_packet(A, bytes(65537))[:5])


@pytest.mark.parametrize(
    "sent",
    [
        frame(FrameType.SEND_PACKET, A[:31]),
        frame(FrameType.FORWARD_PACKET, A + B[:31]),
        frame(FrameType.FORWARD_PACKET, bytes(65536 + 65)),
        frame(FrameType.PING, bytes(1001)),
        frame(FrameType.CLIENT_INFO, b"")[:1] + (256 * 1024 + 1).to_bytes(4),
    ],
)
def test_sizes_that_cannot_be(sent):
    with pytest.raises(FrameError, match="bytes"):
        read(open_splitter(mesh=True), sent)


def test_unknown_frames_are_skipped_and_counted():
    splitter = open_splitter()
    assert read(splitter, b"\xee\x00\x00\x00\x03abc" + frames.KEEP_ALIVE) == ([], [(FrameType.KEEP_ALIVE, b"")])
    assert splitter.unknown == 1


def test_an_unknown_frame_larger_than_any_buffer_is_skipped_as_it_comes():
    splitter = open_splitter()
    read(splitter, b"\xee" + (1_000_000).to_bytes(4))
    for _ in range(10):
        assert read(splitter, bytes(100_000)) == ([], [])
    assert read(splitter, frames.ping(b"12345678")) == ([], [(FrameType.PING, b"12345678")])


def test_connections_share_a_buffer_between_their_reads():
    buffer = Buffer()
    first, second = Splitter(buffer), Splitter(buffer)
    first.source, second.source = A, B
    sent = frames.send_packet(C, b"kept aside")
    read(first, sent[:-4])
    read(second, frames.send_packet(C, bytes(5000)))
    assert read(first, sent[-4:])[0] == [(A, C, frames.recv_packet(A, b"kept aside"), 1)]


messages = st.one_of(
    st.tuples(st.sampled_from([A, B]), st.binary(max_size=80)),
    st.sampled_from([(None, frames.ping(b"12345678")), (None, frames.note_preferred(home=True))]),
)


@settings(max_examples=60)
@given(st.lists(messages, max_size=12), st.lists(st.integers(1, 90), max_size=30))
def test_the_cuts_of_the_stream_do_not_matter(sent, sizes):
    stream = b"".join(data if key is None else frames.send_packet(key, data) for key, data in sent)
    splitter, got, control, at = open_splitter(), {A: b"", B: b""}, [], 0
    for size in [*sizes, len(stream)]:
        runs, more = read(splitter, stream[at : at + size])
        at += size
        control += more
        for _, destination, data, _ in runs:
            got[destination] += data
    assert got == {k: b"".join(frames.recv_packet(ME, data) for key, data in sent if key == k) for k in got}
    assert [frame(FrameType(kind), payload) for kind, payload in control] == [d for key, d in sent if key is None]


@given(st.lists(st.binary(max_size=300), max_size=5), st.booleans())
def test_any_bytes_give_frames_or_a_frame_error(reads, mesh):
    splitter = open_splitter(mesh=mesh)
    with suppress(FrameError):
        for data in reads:
            read(splitter, data)
