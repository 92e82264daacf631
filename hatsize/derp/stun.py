"""The STUN server: a UDP socket read until it is empty whenever it is readable."""

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from hatsize.wire.stun import MAX_REQUEST, build_response, parse_request

_log = logging.getLogger(__name__)
_AT_ONCE = 256
"""Datagrams answered before others get their turn."""


@dataclass(slots=True)
class StunCounters:
    """Datagrams since the start."""

    answered_ipv4: int = 0
    answered_ipv6: int = 0
    malformed: int = 0
    unsent: int = 0
    """Answers the system did not take."""


class StunServer:
    """Answers binding requests on one port."""

    def __init__(self, *, lenient: bool = False) -> None:
        self.counters = StunCounters()
        self.sockets: list[socket.socket] = []
        self._lenient = lenient
        self._buffer = bytearray(MAX_REQUEST + 1)

    @classmethod
    async def start(cls, host: str, port: int, *, lenient: bool = False) -> Self:
        """Listen on an address, or with an empty host on all of the machine, IPv6 only where there is any.

        Raises OSError when the address cannot be had; a caller makes a warning of that, for several servers may run on
        one machine, and another one's answer is just as good.
        """
        server = cls(lenient=lenient)
        for sock in stun_sockets(host, port):
            server.answer_on(sock)
        return server

    def answer_on(self, sock: socket.socket) -> None:
        """Answer on a socket that is bound already, and belongs to this server from now on."""
        sock.setblocking(False)
        self.sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock, self._read, sock)

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of each socket."""
        return [sock.getsockname()[:2] for sock in self.sockets]

    def close(self) -> None:
        for sock in self.sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self.sockets.clear()

    def _read(self, sock: socket.socket) -> None:
        buffer, counters, lenient = self._buffer, self.counters, self._lenient
        for _ in range(_AT_ONCE):
            try:
                size, source = sock.recvfrom_into(buffer)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EWOULDBLOCK}:
                    continue  # what an earlier answer met on its way, not this socket's fault
                return
            transaction = parse_request(bytes(buffer[:size]), lenient=lenient)
            if transaction is None:
                counters.malformed += 1
                continue
            try:
                sock.sendto(build_response(transaction, source[0], source[1]), source)
            except OSError:
                counters.unsent += 1
                continue
            if sock.family == socket.AF_INET:
                counters.answered_ipv4 += 1
            else:
                counters.answered_ipv6 += 1


def stun_sockets(host: str, port: int) -> list[socket.socket]:
    """A socket bound to an address, or with an empty host one for IPv4 and, where there is any, one for IPv6.

    Raises OSError when the address cannot be had.
    """
    first = _open(host or "0.0.0.0", port)  # noqa: S104 - STUN is for everybody
    if host:
        return [first]
    try:
        return [first, _open("::", first.getsockname()[1])]
    except OSError as error:
        _log.info("no STUN on IPv6: %s", error.strerror)
        return [first]


def _open(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
