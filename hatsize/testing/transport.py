"""How a fake client reaches a server's inner app: a request and its answer as a stream, over a socket or without."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from hatsize.wire.keys import MachineKey


class Answer:
    """The answer to one request: its status at once, its body as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.started = asyncio.Event()
        self.when_closed: Callable[[], None] = lambda: None
        """Called when whoever reads it has had enough before it ended."""
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = False

    def begin(self, status: int) -> None:
        self.status = status
        self.started.set()

    def feed(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    def end(self) -> None:
        """Nothing more comes; an answer that never began has status 0."""
        if not self.ended:
            self.ended = True
            self.started.set()
            self._pieces.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def body(self) -> bytes:
        """All of the body, once it has ended."""
        return b"".join([piece async for piece in self])

    def close(self) -> None:
        """Read no more of it."""
        if not self.ended:
            self.end()
            self.when_closed()


class Transport(Protocol):
    """Sends requests as one machine."""

    async def request(self, method: str, path: str, body: bytes) -> Answer:
        """The answer, as soon as it has begun."""

    async def close(self) -> None:
        """End the connection with all that is open on it."""


class DirectSink:
    """A map session's sink with no socket behind it. A `stalled` one takes what it is given and asks for no more."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.stalled = False
        self.on_writable: Callable[[], None] | None = None
        self.on_close: Callable[[], None] | None = None

    def write(self, data: bytes) -> bool:
        self._answer.feed(data)
        return not self.stalled

    def close(self) -> None:
        self._answer.end()

    def resume(self) -> None:
        """The client reads again."""
        self.stalled = False
        if self.on_writable:
            self.on_writable()

    def hang_up(self) -> None:
        if self.on_close:
            self.on_close()


class DirectTransport:
    """Calls the inner ASGI app as the tunnel does, for a machine whose key nobody has to prove."""

    def __init__(self, app: Callable[[Any, Any, Any], Any], machine_key: MachineKey, cap_version: int) -> None:
        self._app = app
        self._state = {"machine_key": machine_key, "cap_version": cap_version}
        self._tasks: set[asyncio.Task[None]] = set()
        self.sinks: list[DirectSink] = []
        """The streams that were opened, the newest last."""

    async def request(self, method: str, path: str, body: bytes) -> Answer:
        answer = Answer()
        task = asyncio.create_task(self._call(method, path, body, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

        def cancel() -> None:
            task.cancel()

        answer.when_closed = cancel
        await answer.started.wait()
        return answer

    async def close(self) -> None:
        for sink in self.sinks:
            sink.hang_up()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _call(self, method: str, path: str, body: bytes, answer: Answer) -> None:
        taken: list[DirectSink] = []
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        def take() -> DirectSink:
            sink = DirectSink(answer)
            taken.append(sink)
            self.sinks.append(sink)
            answer.when_closed = sink.hang_up
            answer.begin(200)
            return sink

        async def receive() -> dict[str, Any]:
            message = next(messages, None)
            return message or await asyncio.get_running_loop().create_future()

        async def send(message: dict[str, Any]) -> None:
            if taken:
                return
            if message["type"] == "http.response.start":
                answer.begin(message["status"])
            elif message["type"] == "http.response.body":
                answer.feed(message.get("body", b""))
                if not message.get("more_body"):
                    answer.end()

        try:
            await self._app(self._scope(method, path, take), receive, send)
        finally:
            if not taken:
                answer.end()

    def _scope(self, method: str, path: str, take: Callable[[], DirectSink]) -> dict[str, Any]:
        path, _, query = path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"hatsize")],
            "client": ("192.0.2.1", 0),
            "server": None,
            "state": dict(self._state),
            "extensions": {"hatsize.sink": take},
        }
