"""Questions by UDP and TCP (RFC 7766)."""

import asyncio
import errno
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from time import monotonic
from typing import cast

from hatsize.hooks.errors import PluginError
from hatsize_dns.addresses import Place
from hatsize_dns.asker import Asker
from hatsize_dns.limits import RateLimit, Verdict
from hatsize_dns.responder import LARGEST_QUERY, Responder

IDLE = 10.0
"""Seconds in which a question, or the next one, must come by TCP, and an answer be taken."""
MOST_CONNECTIONS = 200
MOST_OF_ONE = 20
"""TCP connections in all, and from one address."""

AskerAt = Callable[[str], Asker]


class UdpServer(asyncio.DatagramProtocol):
    """Answers datagrams within the limits."""

    def __init__(self, responder: Responder, asker_at: AskerAt, limit: RateLimit) -> None:
        self._responder = responder
        self._asker_at = asker_at
        self._limit = limit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) > LARGEST_QUERY:
            return
        asker = self._asker_at(addr[0])
        verdict = self._limit.judge(asker.address, monotonic())
        if verdict is Verdict.DROP:
            return
        truncate = verdict is Verdict.TRUNCATE
        response = self._responder.truncated(data) if truncate else self._responder.respond(data, asker, udp=True)
        if response is not None:
            self._transport.sendto(response, addr)


class TcpServer:
    """Answers one question after the other on each connection."""

    def __init__(self, responder: Responder, asker_at: AskerAt) -> None:
        self._responder = responder
        self._asker_at = asker_at
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other side ends it, is silent for long or asks what is no question."""
        peer = writer.get_extra_info("peername")
        if peer is None:  # gone already
            writer.close()
            return
        host = peer[0]
        self._open[host] += 1
        self._tasks.add(task := asyncio.current_task())
        try:
            if self._open.total() <= MOST_CONNECTIONS and self._open[host] <= MOST_OF_ONE:
                with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
                    while await self._one(reader, writer, self._asker_at(host)):
                        pass
        finally:
            self._tasks.discard(task)
            self._open[host] -= 1
            if not self._open[host]:
                del self._open[host]
            writer.close()

    def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            if task is not None:
                task.cancel()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asker: Asker) -> bool:
        async with asyncio.timeout(IDLE):
            length = int.from_bytes(await reader.readexactly(2), "big")
            if length > LARGEST_QUERY:
                return False
            response = self._responder.respond(await reader.readexactly(length), asker, udp=False)
            if response is None:
                return False
            writer.write(len(response).to_bytes(2, "big") + response)
            await writer.drain()
        return True


@asynccontextmanager
async def listening(
    places: Sequence[Place], responder: Responder, asker_at: AskerAt, limit: RateLimit
) -> AsyncIterator[list[Place]]:
    """Answer questions inside; gives the places, each with the port it got. PluginError names one that is not free."""
    loop = asyncio.get_running_loop()
    tcp = TcpServer(responder, asker_at)
    bound: list[Place] = []
    async with AsyncExitStack() as stack:
        stack.callback(tcp.close)
        for place in places:
            pair = _sockets(place, others=bool(bound))
            if pair is None:
                continue
            stream, datagrams = pair
            server = await asyncio.start_server(tcp.serve, sock=stream)
            stack.callback(server.close)
            protocol = partial(UdpServer, responder, asker_at, limit)
            transport, _ = await loop.create_datagram_endpoint(protocol, sock=datagrams)
            stack.callback(transport.close)
            bound.append(Place(place.host, stream.getsockname()[1]))
        yield bound


def _sockets(place: Place, *, others: bool) -> tuple[socket.socket, socket.socket] | None:
    """A TCP and a UDP socket on one port; None for IPv6 on a machine without it that answers elsewhere."""
    try:
        stream = _bound(place, socket.SOCK_STREAM)
        try:
            datagrams = _bound(Place(place.host, stream.getsockname()[1]), socket.SOCK_DGRAM)
        except OSError:
            stream.close()
            raise
    except OSError as error:
        if others and error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL} and place.host == "::":
            return None
        raise PluginError(f"plugins.dns.listen = {place}: {_mend(error)}") from None
    return stream, datagrams


def _bound(place: Place, kind: socket.SocketKind) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET, kind)
    try:
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind(place)
    except OSError:
        made.close()
        raise
    return made


def _mend(error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"{reason}; ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or root"
    if error.errno == errno.EADDRINUSE:
        return f"{reason}; another name server is there, so name the address to answer on"
    return f"{reason}; choose another one"
