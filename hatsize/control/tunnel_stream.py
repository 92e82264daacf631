"""One request inside a tunnel, as an ASGI scope; and its response, from the app or through a sink.

A request's body is read whole before the app is called, so that a slow sender costs no task.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from h2.errors import ErrorCodes

if TYPE_CHECKING:
    from hatsize.control.tunnel_h2 import TunnelConnection

MAX_BODY = 1 << 20
"""Bytes of a request's body; a longer one is answered with 413."""
_log = logging.getLogger("hatsize.control.tunnel")


class StreamSink:
    """A response that its owner writes without a task: `write` never blocks.

    `on_writable` is called when a sink that was full can be written again, `on_close` once when the stream ends for
    any other reason than `close`: the client went away, or reset it.
    """

    __slots__ = ("_stream", "on_close", "on_writable", "remote")

    def __init__(self, stream: "Stream", remote: str) -> None:
        self._stream = stream
        self.remote = remote
        self.on_writable: Callable[[], None] | None = None
        self.on_close: Callable[[], None] | None = None

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def write(self, data: bytes) -> bool:
        """Send all of `data`, now or as the windows open. False when some of it waits: stop until `on_writable`."""
        return self._stream.write(data)

    def close(self) -> None:
        """End the response after what was written."""
        self._stream.finish()


class Stream:
    """A request and its response."""

    __slots__ = (
        "_body", "_connection", "_disconnected", "_finishing", "_number", "_pending", "_request", "_response",
        "_sink", "_task", "_writable", "body_size", "closed", "started",
    )  # fmt: skip

    def __init__(self, connection: "TunnelConnection", number: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._connection = connection
        self._number = number
        self._request = headers
        self._body: list[bytes] | None = []
        self.body_size = 0
        """Bytes of the request's body so far."""
        self.started = False
        """Whether the request is complete."""
        self.closed = False
        self._response: list[tuple[bytes, bytes]] | None = None
        self._pending = memoryview(b"")
        self._finishing = False
        self._sink: StreamSink | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Event | None = None
        self._disconnected: asyncio.Event | None = None

    def receive(self, data: bytes, *, room: int) -> None:
        """Take a piece of the request's body, as long as it fits."""
        self.body_size += len(data)
        if self.body_size > min(MAX_BODY, room + self.body_size - len(data)):
            self._refuse(413, b"the request is too long\n")
        elif self._body is not None:
            self._body.append(data)

    def start(self) -> None:
        """The request is complete: call the app."""
        self.started = True
        fields = dict(self._request)
        path, _, query = fields.get(b":path", b"").partition(b"?")
        if not path.startswith(b"/") or not path.isascii():
            self._refuse(400, b"the request has no path\n")
            return
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "method": fields[b":method"].decode("latin1"),
            "scheme": "https",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [
                (b"host", fields.get(b":authority", b"")),
                *((name, value) for name, value in self._request if name[:1] != b":" and name != b"host"),
            ],
            "client": (self._connection.remote, 0),
            "server": None,
            "state": self._connection.state.copy(),
            "extensions": {"hatsize.sink": self._take},
        }
        self._request = []
        self._task = asyncio.get_running_loop().create_task(self._run(scope))

    def lost(self) -> None:
        """The client or its connection is gone."""
        if self.closed:
            return
        self._close()
        sink = self._sink
        if sink and sink.on_close:
            sink.on_close()

    def resume(self) -> None:
        """The window or the transport has room again."""
        if self.closed or not self._pending:
            return
        self._send()
        if self._pending or self.closed:
            return
        if self._writable:
            self._writable.set()
        if self._sink and self._sink.on_writable:
            self._sink.on_writable()

    def write(self, data: bytes) -> bool:
        if self.closed:
            return False
        if self._pending:
            self._pending = memoryview(bytes(self._pending) + data)
            return False
        sent = self._connection.send_data(self._number, data)
        if sent < len(data):
            self._pending = memoryview(data)[sent:]
        return not self._pending

    def finish(self) -> None:
        """End the response once everything written is sent."""
        if not self.closed:
            self._finishing = True
            self._send()

    def _take(self) -> StreamSink:
        """What `hatsize.sink` is: answer 200 and give the response away. What the app sends afterwards is dropped."""
        sink = self._sink = StreamSink(self, self._connection.remote)
        if self.closed:
            asyncio.get_running_loop().call_soon(lambda: sink.on_close and sink.on_close())
        else:
            self._connection.send_headers(self._number, [(b":status", b"200")], end=False)
            self._connection.when_settled()
        return sink

    async def _run(self, scope: Any) -> None:
        self._disconnected = asyncio.Event()
        try:
            await self._connection.app(scope, self._asgi_receive, self._asgi_send)
        except Exception:  # noqa: BLE001 - logged; one request must not hurt the others
            _log.exception("%s %s failed", scope["method"], scope["path"])
        finally:
            self._task = self._disconnected = None
        if self._sink or self.closed or self._finishing:
            return
        if self._response is None:
            self._refuse(500, b"internal error\n")
        else:
            self._connection.reset_stream(self._number, ErrorCodes.INTERNAL_ERROR)
            self._close()

    async def _asgi_receive(self) -> Any:
        if self._body is not None:
            body, self._body = b"".join(self._body), None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self.closed and self._disconnected:
            await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _asgi_send(self, message: Any) -> None:
        if self.closed or self._sink:
            return
        if message["type"] == "http.response.start":
            headers = ((name.lower(), value) for name, value in message.get("headers", ()))
            self._response = [(b":status", b"%d" % message["status"]), *headers]
        elif message["type"] == "http.response.body":
            body, last = message.get("body", b""), not message.get("more_body", False)
            if self._response:
                response, self._response = self._response, []
                self._connection.send_headers(self._number, response, end=False)
            if body and not self.write(body) and not last and not self.closed:
                self._writable = asyncio.Event()
                await self._writable.wait()
                self._writable = None
            if last:
                self.finish()

    def _refuse(self, status: int, text: bytes) -> None:
        headers = [
            (b":status", b"%d" % status),
            (b"content-type", b"text/plain"),
            (b"content-length", b"%d" % len(text)),
        ]
        self._body = []
        self._connection.send_headers(self._number, headers, end=False)
        self.write(text)
        self.finish()

    def _send(self) -> None:
        if self._pending:
            self._pending = self._pending[self._connection.send_data(self._number, self._pending) :]
        if self._finishing and not self._pending:
            self._connection.end_stream(self._number, complete=self.started)
            self._close()

    def _close(self) -> None:
        self.closed = True
        self._pending = memoryview(b"")
        for event in (self._disconnected, self._writable):
            if event:
                event.set()
