"""The two endpoints every client asks, answered straight from ASGI: a web framework would cost more than what they do.

All other requests in the tunnel go on to the app behind.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from quart import Quart

from hatsize.control.peer import Peer, W, peer_in
from hatsize.control.sessions import Sink
from hatsize.hooks.storage import StorageError
from hatsize.live.measures import Measures
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import WireError


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, its body whole."""

    peer: Peer
    remote: str
    """The client's address."""
    body: bytes
    take_over: Callable[[], Sink]
    """Answers 200 and gives the response away; what is answered otherwise is dropped then."""

    def read(self, kind: type[W]) -> W:
        """The request's JSON; raises WireError."""
        return tailcfg.decode(kind, self.body)


@dataclass(frozen=True, slots=True)
class Answered:
    """A response."""

    body: bytes = b""
    status: int = 200
    content_type: bytes = b"application/octet-stream"


Endpoint = Callable[[Asked], Awaitable[Answered]]


def in_json(value: object) -> Answered:
    return Answered(tailcfg.encode(value), content_type=b"application/json")


def in_words(text: str, status: int) -> Answered:
    return Answered(text.encode() + b"\n", status, b"text/plain; charset=utf-8")


def apology(error: WireError | StorageError) -> tuple[str, int]:
    """What a client is told of an error, and the status."""
    if isinstance(error, WireError):
        return f"cannot read the request: {error}", 400
    return f"the server cannot store this now, try again: {error}", 503


class Direct:
    """An ASGI app: POST to one of the endpoints, by path, and `others` for the rest."""

    def __init__(self, endpoints: Mapping[str, Endpoint], others: Quart, measures: Measures) -> None:
        self._endpoints = endpoints
        self.others = others
        self._measures = measures

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            await self.others(scope, receive, send)
            return
        begun = monotonic()
        message = await receive()
        if message["type"] != "http.request":  # the client is gone
            return
        answer = await _answer(endpoint, scope, message["body"])
        self._measures.request("tunnel", "POST", path, answer.status, monotonic() - begun)
        headers = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


async def _answer(endpoint: Endpoint, scope: Any, body: bytes) -> Answered:
    if scope["method"] != "POST":
        return in_words("method not allowed", 405)
    try:
        return await endpoint(Asked(peer_in(scope), scope["client"][0], body, scope["extensions"]["hatsize.sink"]))
    except (WireError, StorageError) as error:
        return in_words(*apology(error))
