"""Requests to the HTTP server that every client has for its control server: `c2n` (protocol fact sheet, 3.1).

server -> client   PingRequest, `Payload` a raw HTTP/1.1 request
client -> server   POST to the PingRequest's URL, its body a raw HTTP/1.1 response
"""

import http.client
import io
import socket
from dataclasses import dataclass
from typing import cast

from hatsize.control.pings import NoAnswerError, Pings

WITHIN = 30.0
"""Seconds a client has to answer."""


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What a client's own HTTP server answered."""

    status: int
    content_type: str
    body: bytes


async def ask_client(
    pings: Pings, node_id: int, path: str, *, method: str = "GET", body: bytes = b"", within: float = WITHIN
) -> ClientAnswer:
    """Carry a request out on a node. Raises NoAnswerError, and ValueError for a method or path that cannot be one."""
    request = raw_request(method, path, body, within)
    return read_answer(await pings.ask(node_id, within=within, types="c2n", payload=request))


def raw_request(method: str, path: str, body: bytes, within: float) -> bytes:
    """The request as it goes to the client; raises ValueError."""
    if not method.isascii() or not method.isalpha():
        raise ValueError(f"{method!r} is not an HTTP method: give GET or POST")
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        raise ValueError(f"{path!r} is not a path: give one such as /debug/goroutines")
    head = (
        f"{method.upper()} {path} HTTP/1.1\r\nHost: node\r\nContent-Length: {len(body)}\r\n"
        f"C2n-Handler-Timeout: {within:g}s\r\n\r\n"
    )
    return head.encode() + body


def read_answer(raw: bytes) -> ClientAnswer:
    """A client's raw HTTP response; raises NoAnswerError for anything else."""
    try:
        response = http.client.HTTPResponse(cast("socket.socket", _Received(raw)))
        response.begin()
        return ClientAnswer(response.status, response.headers.get("Content-Type", ""), response.read())
    except (http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(f"the node answered with no HTTP response: {error!r}") from None


class _Received:
    """What `http.client` needs of a socket, over bytes that are there already."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)
