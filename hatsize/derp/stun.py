"""The STUN server: a UDP socket read until it is empty whenever it is readable."""

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass

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
    """Answers binding requests on any number of addresses."""

    def __init__(self, *, lenient: bool = False) -> None:
        self.counters = StunCounters()
        self.sockets: list[socket.socket] = []
        self._lenient = lenient
        self._buffer = bytearray(MAX_REQUEST + 1)

    def listen(self, host: str, port: int) -> bool:
        """Listen on an address, or with an empty host on all IPv4 and IPv6 ones.

        A port in use is a warning: another server on this machine answers just as well. Returns whether any socket
        listens.
        """
        hosts = [host] if host else ["0.0.0.0", "::"]  # noqa: S104 - STUN is for everybody
        opened = [sock for each in hosts if (sock := _open(each, port)) is not None]
        for sock in opened:
            asyncio.get_running_loop().add_reader(sock, self._read, sock)
        self.sockets += opened
        return bool(opened)

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


def _open(host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        _log.warning("no STUN on %s: %s", host, error.strerror)
        return None
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        _log.warning("no STUN on %s port %s: %s", host, port, error.strerror)
        return None
    return sock
