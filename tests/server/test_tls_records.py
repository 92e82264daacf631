"""TLS between two buffers: how much one call decrypts, and how it tells of the end."""

import contextlib
import ssl

import pytest

from hatsize.server.tls import build_context, self_signed
from hatsize.server.tls_records import RECORD, TURN, TLSRecords


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return build_context(self_signed(tmp_path_factory.mktemp("tls"), ["localhost"]))


class Client:
    """The other end."""

    def __init__(self, context):
        self.records = TLSRecords(context)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting.wrap_bio(self.incoming, self.outgoing)
        for shake in (self.tls.do_handshake, self.records.tls.do_handshake) * 2:
            with contextlib.suppress(ssl.SSLWantReadError):
                shake()
            self.carry()

    def carry(self):
        """What each has made goes to the other."""
        self.records.incoming.write(self.outgoing.read())
        self.incoming.write(self.records.outgoing.read())

    def send(self, *messages):
        for message in messages:
            self.tls.write(message)
        self.carry()


@pytest.fixture
def client(context):
    return Client(context)


def test_a_call_takes_so_many_records_and_the_next_the_rest(client):
    client.send(*[b"ab"] * (TURN + 3))
    room = memoryview(bytearray(100))
    assert client.records.decrypt(room) == (2 * TURN, None)
    assert client.records.decrypt(room) == (6, None)
    assert client.records.incoming.pending == 0


def test_a_room_that_is_full_ends_it_within_a_record(client):
    client.send(b"abcdef")
    room = memoryview(bytearray(4))
    assert (client.records.decrypt(room), bytes(room)) == ((4, None), b"abcd")
    assert (client.records.decrypt(room), bytes(room[:2])) == ((2, None), b"ef")


def test_the_peers_goodbye_is_the_end(client):
    client.send(b"bye")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.carry()
    count, end = client.records.decrypt(memoryview(bytearray(10)))
    assert (count, type(end)) == (3, EOFError)


def test_what_is_no_tls_is_told_with_what_came_before_it(client):
    client.send(b"good")
    client.records.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    count, end = client.records.decrypt(memoryview(bytearray(10)))
    assert count == 4
    assert isinstance(end, ssl.SSLError)


def test_more_than_a_record_is_encrypted_whole(client):
    data = bytes(range(256)) * (RECORD // 100)
    client.records.encrypt(data)
    client.carry()
    got = b""
    while len(got) < len(data):
        got += client.tls.read(len(data))
    assert got == data
