"""TLS between two buffers, with no socket: records that came are decrypted, bytes that go become records."""

import ssl
from collections.abc import Callable

RECORD = 16 * 1024
"""Bytes of a TLS record at most; begun ones wait in OpenSSL."""
TURN = 16
"""Records that one `decrypt` takes at most; packets of a client of the relay are one each."""


class TLSRecords:
    """The server's end of a TLS connection."""

    __slots__ = ("incoming", "outgoing", "tls")

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming = ssl.MemoryBIO()
        """Received and not decrypted; may hold what the client sent right behind its handshake."""
        self.outgoing = ssl.MemoryBIO()
        """Encrypted and not sent."""
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def decrypt(self, room: memoryview) -> tuple[int, Exception | None]:
        """Fill `room` as far as a turn goes: with how many bytes, and how the TLS ended if it did (well: EOFError)."""
        read: Callable[[int, memoryview], int] = self.tls.read  # type: ignore[assignment]  # with a buffer it counts
        incoming, size = self.incoming, len(room)
        if not size:
            raise RuntimeError("get_buffer() returned an empty buffer")
        count = 0
        try:
            for _ in range(TURN):
                got = read(size, room[count:] if count else room)
                if not got:
                    return count, EOFError()
                count += got
                if count == size or not incoming.pending:  # to ask nevertheless would cost an exception
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            return count, error
        return count, None

    def encrypt(self, data: bytes | bytearray | memoryview) -> None:
        """Make records of it, in `outgoing`. Raises ssl.SSLError."""
        write = self.tls.write
        done = write(data)
        if done < len(data):  # a record is full
            rest = memoryview(data)[done:]
            while rest:
                rest = rest[write(rest) :]
