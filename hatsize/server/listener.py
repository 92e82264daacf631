"""One TCP port for everything: the first byte tells TLS from plain HTTP.

A connection that never speaks costs a socket and a timer, no transport and no task, and is closed at a deadline; when
too many are silent at once the oldest go first, so that they cannot lock others out.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from hatsize.server.http import App, HTTPConnection, Site
from hatsize.server.proxies import TrustedProxies
from hatsize.server.settings_values import ListenAddress
from hatsize.server.tls_handshake import shake_hands
from hatsize.server.tls_transport import TLSTransport
from hatsize.wire.upgrade import Upgrader

SPEAK_DEADLINE = 10.0
"""Seconds until a connection's first byte, and again for a TLS handshake."""
MAX_SILENT = 4096
"""Connections that may be silent at once."""
MAX_HANDSHAKES = 1024
"""TLS handshakes that may be under way at once; more are closed."""
_ACCEPT_AT_ONCE = 64
_PAUSE_WITHOUT_FILES = 0.5
_TLS_HANDSHAKE = b"\x16"
_HELLO = 4096
"""Bytes of a ClientHello that are looked at."""
_CHALLENGE = b"\x00\x0b\x0aacme-tls/1"
"""A list of ALPN protocols with this one alone: its length, the protocol's length, the protocol (RFC 7301, 3.1)."""
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = logging.getLogger("hatsize.server")


class Listener:
    """Accepts connections for an ASGI app and for the protocols that upgrade from HTTP.

    Args:
        app: any ASGI app; its lifespan is the caller's business.
        upgraders: by (path, Upgrade token). A WebSocket that offers the token as subprotocol counts too.
        ssl_context: for connections that begin with a TLS handshake; None closes them. May be assigned anew at any
            time, for the connections to come.
        trusted_proxies: networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    """

    def __init__(
        self,
        app: App,
        upgraders: Mapping[tuple[str, str], Upgrader] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trusted_proxies: Iterable[str] = (),
    ) -> None:
        self.ssl_context = ssl_context
        self.challenge_context: ssl.SSLContext | None = None
        """For handshakes with the ALPN protocol of an ACME challenge alone."""
        self.sockets: list[socket.socket] = []
        self.proxies = TrustedProxies(trusted_proxies)
        self._site = Site(app, upgraders or {}, self.proxies)
        self._silent: dict[socket.socket, asyncio.TimerHandle] = {}
        self._connecting: set[asyncio.Task[object]] = set()
        self._resumes: dict[socket.socket, asyncio.TimerHandle] = {}

    @property
    def addresses(self) -> list[str]:
        """What is listened on: `127.0.0.1:8080`, `[::]:8080`, or a Unix socket's path."""
        return [_address(sock) for sock in self.sockets]

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen on an address, on all addresses of a name, or with an empty host on all of the machine.

        With `reuse_port` other processes may share the port. May be called several times. Raises OSError when the
        address cannot be had.
        """
        for sock in await bound_sockets(host, port, reuse_port=reuse_port):
            self.listen_on(sock)

    async def start_at(self, address: ListenAddress, *, reuse_port: bool = False) -> None:
        """Listen on an address that people chose; the OSError names it, and the mend.

        All of IPv6 may be none, where something else is listened on.
        """
        try:
            await self.start(address.host, address.port, reuse_port=reuse_port)
        except OSError as error:
            reason = error.strerror or error
            if address.host == "::" and self.sockets:
                _log.info("not listening on IPv6: %s", reason)
                return
            words = f"cannot listen on {address}: {reason}; choose another with --listen"
            raise OSError(error.errno, words) from error

    def listen_on(self, sock: socket.socket) -> None:
        """Listen on a socket that is bound already, and belongs to this listener from now on."""
        sock.setblocking(False)
        sock.listen(1024)
        self.sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def start_unix(self, path: Path, mode: int = 0o600) -> None:
        """Listen on a Unix socket that only `mode` lets in; replaces a socket that a former process left behind."""
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        sock = socket.socket(socket.AF_UNIX)
        old = os.umask(0o777 & ~mode)
        try:
            sock.bind(str(path))
        finally:
            os.umask(old)
        self.listen_on(sock)

    async def stop(self, grace: float = 1.5) -> None:
        """Stop accepting, give running requests `grace` seconds, then end what is left.

        Connections that were handed to an Upgrader are its own to end.
        """
        loop = asyncio.get_running_loop()
        for sock in self.sockets:
            loop.remove_reader(sock)
            sock.close()
        self.sockets.clear()
        for timer in self._resumes.values():
            timer.cancel()
        for silent in list(self._silent):
            self._forget(silent).close()
        for task in self._connecting:
            task.cancel()
        await self._site.drain(grace)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                accepted, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_FILES:
                    raise
                self._pause(listening, error)
                return
            self._admit(accepted)

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """Without files or memory, waiting connections wait in the kernel for a moment."""
        _log.error("cannot accept connections: %s", error.strerror)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        self._resumes[listening] = loop.call_later(
            _PAUSE_WITHOUT_FILES, loop.add_reader, listening, self._accept, listening
        )

    def _admit(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        _tune(sock)
        if len(self._silent) >= MAX_SILENT:
            self._forget(next(iter(self._silent))).close()
        loop = asyncio.get_running_loop()
        self._silent[sock] = loop.call_later(SPEAK_DEADLINE, self._give_up, sock)
        loop.add_reader(sock, self._speaks, sock)

    def _give_up(self, sock: socket.socket) -> None:
        self._forget(sock).close()

    def _forget(self, sock: socket.socket) -> socket.socket:
        self._silent.pop(sock).cancel()
        asyncio.get_running_loop().remove_reader(sock)
        return sock

    def _speaks(self, sock: socket.socket) -> None:
        try:
            first = sock.recv(_HELLO, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._forget(sock)
        tls = first[:1] == _TLS_HANDSHAKE
        context = self._context(first) if tls else None
        if not first or (tls and (context is None or len(self._connecting) >= MAX_HANDSHAKES)):
            sock.close()
            return
        task = asyncio.get_running_loop().create_task(self._connect(sock, context))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def _context(self, hello: bytes) -> ssl.SSLContext | None:
        """The TLS settings for a connection, by the beginning of its ClientHello."""
        return self.challenge_context if self.challenge_context and _CHALLENGE in hello else self.ssl_context

    async def _connect(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        connection = HTTPConnection(self._site, tls=context is not None)
        try:
            if context is None:
                await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)
            else:
                records = await shake_hands(sock, context, within=SPEAK_DEADLINE)
                TLSTransport(sock, records, SPEAK_DEADLINE).begin(connection)
        except OSError as error:
            _log.debug("a TLS handshake failed: %s", error)
            sock.close()


async def bound_sockets(host: str, port: int, *, reuse_port: bool = False) -> list[socket.socket]:
    """A socket for each address of a host, bound and not yet listening; raises OSError."""
    flags = 0 if host else socket.AI_PASSIVE
    found = await asyncio.get_running_loop().getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags)
    return [_bound(family, address, reuse_port=reuse_port) for family, *_, address in dict.fromkeys(found)]


def _bound(family: int, address: object, *, reuse_port: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)  # type: ignore[arg-type]
    except OSError:
        sock.close()
        raise
    return sock


def _tune(sock: socket.socket) -> None:
    """No delay for small writes, and an end for peers that vanished without a word."""
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 90_000)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _address(sock: socket.socket) -> str:
    name = sock.getsockname()
    if isinstance(name, str):
        return name
    return f"[{name[0]}]:{name[1]}" if sock.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"
