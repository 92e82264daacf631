"""HTTP/1.1, HTTP/2 and WebSocket for an ASGI app, by Hypercorn's protocol machines.

The only module that knows Hypercorn's insides. Relied on: the classes ProtocolWrapper, H11Protocol, TaskGroup,
WorkerContext, Config, ASGIWrapper and the events; the attribute `ProtocolWrapper.protocol`; and the method
`H11Protocol._check_protocol`, overridden to see the head of every request, the first or the hundredth behind a proxy,
before it becomes an ASGI scope. `tests/server/test_http.py` holds all of it to the pinned version.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import h11
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ConnectionState

from hatsize.server.front import Front
from hatsize.server.proxies import TrustedProxies, plain_address
from hatsize.wire.upgrade import Upgrade, Upgrader

App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI app."""

HEAD_DEADLINE = 15.0
"""Seconds until a new connection's first request head."""
KEEP_ALIVE = 75.0
"""Seconds between requests; longer than reverse proxies keep idle connections."""
WRITE_DEADLINE = 30.0
"""Seconds a peer may leave what is sent to it unread."""
_UNWIND_DEADLINE = 5.0
"""Seconds a lost connection's requests have to end by themselves."""
_READ_AHEAD = 1 << 16
_log = logging.getLogger("hatsize.server")


class Site:
    """What the connections of one listener share."""

    def __init__(self, app: App, upgraders: Mapping[tuple[str, str], Upgrader], proxies: TrustedProxies) -> None:
        self.app = ASGIWrapper(Front(app, upgraders, proxies))
        self.upgraders = {(path, token.lower()): upgrader for (path, token), upgrader in upgraders.items()}
        self.proxies = proxies
        self.config = _config()
        self.context = WorkerContext(None)
        self.connections: set[HTTPConnection] = set()

    async def drain(self, grace: float) -> None:
        """End idle connections at once, busy ones after their request, and all after `grace` seconds."""
        await self.context.terminated.set()
        for connection in list(self.connections):
            connection.close_when_idle()
        running = {connection.task for connection in self.connections}
        if running:
            await asyncio.wait(running, timeout=grace)
        left = [connection.cut() for connection in list(self.connections)]
        await asyncio.gather(*left, return_exceptions=True)


class HTTPConnection(asyncio.Protocol):
    """One connection until it ends or is handed to an Upgrader."""

    task: asyncio.Task[None]

    def __init__(self, site: Site, *, tls: bool) -> None:
        self._site = site
        self._tls = tls
        self._incoming = bytearray()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._idle = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by type
        self._site.connections.add(self)
        self.task = self._loop.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        self._incoming += data
        if len(self._incoming) > _READ_AHEAD:
            self._transport.pause_reading()
        self._readable.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._readable.set()
        self._writable.set()
        self._set_timer(_UNWIND_DEADLINE, self.task.cancel)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close_when_idle(self) -> None:
        """End the connection if no request runs on it."""
        if self._idle:
            self._close()

    def cut(self) -> asyncio.Task[None]:
        """End the connection now, whatever runs on it; the task that is left to await."""
        self._transport.abort()
        self.task.cancel()
        return self.task

    async def _run(self) -> None:
        try:
            async with TaskGroup(self._loop) as group:
                self._http = self._machine(group)
                await self._http.initiate()
                self._set_timer(HEAD_DEADLINE, self._close)
                asked = await self._read()
                if asked:
                    self._hand_over(asked)
                else:
                    self._close()
        except Exception:  # noqa: BLE001 - logged; one connection must not hurt the others
            _log.exception("a connection ended by an error of the server")
            self._transport.abort()
        finally:
            self._site.connections.discard(self)

    def _machine(self, group: TaskGroup) -> ProtocolWrapper:
        ssl_object = self._transport.get_extra_info("ssl_object")
        machine = ProtocolWrapper(
            self._site.app,
            self._site.config,
            self._site.context,
            group,
            ConnectionState({}),
            self._tls,
            _host_port(self._transport.get_extra_info("peername")),
            _host_port(self._transport.get_extra_info("sockname")),
            self._send,
            ssl_object.selected_alpn_protocol() if ssl_object else "http/1.1",
        )
        if isinstance(machine.protocol, H11Protocol):
            machine.protocol = _UpgradingH11(self._site.upgraders, machine)
        return machine

    async def _read(self) -> "_UpgradeRequested | None":
        while True:
            await self._readable.wait()
            data = bytes(self._incoming)
            self._incoming.clear()
            if not data:
                await self._http.handle(Closed())
                return None
            if not self._transport.is_closing():
                self._readable.clear()
                self._transport.resume_reading()
            try:
                await self._http.handle(RawData(data))
            except _UpgradeRequested as asked:
                return asked

    async def _send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Closed):
            self._close()
        elif isinstance(event, Updated):
            self._idle = event.idle
            if not event.idle:
                self._set_timer(None)
            elif self._site.context.terminated.is_set():
                self._close()
            else:
                self._set_timer(KEEP_ALIVE, self._close)

    async def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._writable.is_set():
            return
        try:
            async with asyncio.timeout(WRITE_DEADLINE):
                await self._writable.wait()
        except TimeoutError:
            self._transport.abort()

    def _close(self) -> None:
        """Send what is left and end; a peer that does not read it is cut off."""
        if not self._transport.is_closing():
            self._transport.close()
            self._set_timer(WRITE_DEADLINE, self._transport.abort)

    def _set_timer(self, seconds: float | None, then: Callable[[], object] | None = None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then) if seconds is not None and then else None

    def _hand_over(self, asked: "_UpgradeRequested") -> None:
        self._set_timer(None)
        request = asked.request
        headers = {name.decode("latin1"): value.decode("latin1") for name, value in request.headers}
        path, _, query = request.target.decode("latin1").partition("?")
        peer = (_host_port(self._transport.get_extra_info("peername")) or ("", 0))[0]
        upgrade = Upgrade(
            method=request.method.decode("ascii"),
            path=path,
            query=query,
            headers=headers,
            transport=self._transport,
            trailing=asked.trailing + bytes(self._incoming),
            tls=self._tls,
            remote=self._site.proxies.client(peer, headers),
        )
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        try:
            asked.upgrader(upgrade)
        except Exception:  # noqa: BLE001 - logged; one connection must not hurt the others
            _log.exception("an upgrade of %s failed", path)
            self._transport.abort()


class _UpgradeRequested(Exception):  # noqa: N818 - not an error: how Hypercorn's own machines ask for another
    def __init__(self, upgrader: Upgrader, request: h11.Request, trailing: bytes) -> None:
        self.upgrader = upgrader
        self.request = request
        self.trailing = trailing


class _UpgradingH11(H11Protocol):
    """Hypercorn's HTTP/1.1 that stops at a request for a registered Upgrade token."""

    def __init__(self, upgraders: Mapping[tuple[str, str], Upgrader], machine: ProtocolWrapper) -> None:
        super().__init__(
            machine.app,
            machine.config,
            machine.context,
            machine.task_group,
            machine.state,
            machine.ssl,
            machine.client,
            machine.server,
            machine.send,
        )
        self._upgraders = upgraders

    async def _check_protocol(self, event: h11.Request) -> None:
        headers = dict(event.headers)
        path = event.target.partition(b"?")[0].decode("latin1")
        token = headers.get(b"upgrade", b"").decode("latin1").strip().lower()
        upgrader = self._upgraders.get((path, token)) if token else None
        connection = headers.get(b"connection", b"").lower()
        bodiless = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        if upgrader and bodiless and b"upgrade" in connection and isinstance(self.connection, h11.Connection):
            raise _UpgradeRequested(upgrader, event, self.connection.trailing_data[0])
        await super()._check_protocol(event)


def _config() -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = _log
    config.include_server_header = False
    config.keep_alive_max_requests = 1_000_000
    config.websocket_max_message_size = 1 << 20
    return config


def _host_port(address: object) -> tuple[str, int] | None:
    """A socket's address as ASGI has it; None for a Unix socket's."""
    if isinstance(address, tuple) and len(address) >= 2:
        return plain_address(str(address[0])), int(address[1])
    return None
