"""The server's part of a TLS handshake, on a socket that was accepted."""

import asyncio
import socket
import ssl
from contextlib import suppress

from hatsize.server.tls_records import TLSRecords

_READ = 16 * 1024
_NOT_NOW = (BlockingIOError, InterruptedError)


async def shake_hands(sock: socket.socket, context: ssl.SSLContext, *, within: float) -> TLSRecords:
    """Shake hands with the client at the other end of a connected socket that does not block.

    Raises OSError, of which ssl.SSLError is one, and TimeoutError after `within` seconds; the socket is closed then.
    """
    records = TLSRecords(context)
    try:
        async with asyncio.timeout(within):
            await _exchange(sock, records)
    except BaseException:
        with suppress(OSError):
            sock.send(records.outgoing.read())  # the alert that says why
        sock.close()
        raise
    return records


async def _exchange(sock: socket.socket, records: TLSRecords) -> None:
    while not _done(records.tls):
        await _send(sock, records.outgoing.read())
        received = await _receive(sock)
        if not received:
            raise ConnectionResetError("the client ended the connection")
        records.incoming.write(received)
    await _send(sock, records.outgoing.read())


async def _send(sock: socket.socket, data: bytes) -> None:
    with suppress(*_NOT_NOW):  # waiting for the socket costs more than the try
        data = data[sock.send(data) :]
    if data:
        await asyncio.get_running_loop().sock_sendall(sock, data)


async def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(_READ)
    except _NOT_NOW:
        return await asyncio.get_running_loop().sock_recv(sock, _READ)


def _done(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
