"""The STUN server: a UDP socket read until it is empty whenever it is readable."""

import asyncio
import errno
import logging
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hatsize.wire.stun import MAX_REQUEST, build_response, parse_request

_log = logging.getLogger(__name__)
ANY_IPV6 = "::"
"""All IPv6 addresses; a machine that has none is nothing to warn of."""
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


def stun_sockets(addresses: Iterable[tuple[str, int]]) -> list[socket.socket]:
    """A bound socket for each host and port that can be had.

    A port in use is a warning: several servers may run on one machine, and another one's answer is just as good.
    """
    found: list[socket.socket] = []
    for host, port in addresses:
        try:
            found.append(_open(host, port))
        except OSError as error:
            level = logging.INFO if host == ANY_IPV6 and found else logging.WARNING
            words = "no STUN on %s port %d: %s; clients find their address by other means"
            _log.log(level, words, host, port, error.strerror or error)
    return found


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
