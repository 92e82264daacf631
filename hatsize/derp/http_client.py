"""The little HTTP/1.1 a relay on its own needs as a client: one request, one answer, over TCP or TLS."""

import asyncio
import ssl
from urllib.parse import urlsplit

from hatsize.derp.hosts import is_host

_MAX_ANSWER = 4 * 1024 * 1024


class AnswerError(OSError):
    """The server's answer is not what HTTP promises, or not what was asked for."""


async def get(url: str) -> bytes:
    """The body of a 200 answer; raises OSError."""
    status, body = await _request("GET", url, b"")
    if status != 200:
        raise AnswerError(f"it answers with status {status}")
    return body


async def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Post JSON; the answer's status and body. Raises OSError."""
    return await _request("POST", url, body)


def is_url(text: str) -> bool:
    """Whether a text is an http or https URL of a host that there can be."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and is_host(parts.hostname or "")


async def _request(method: str, url: str, body: bytes) -> tuple[int, bytes]:
    if not is_url(url):
        raise AnswerError(f"{url!r} is no http or https URL")
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    context = ssl.create_default_context() if tls else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if tls else 80), ssl=context)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(_head(method, target, parts.netloc.rpartition("@")[2], len(body)) + body)
        await writer.drain()
        answer = await _read_all(reader)
    finally:
        writer.close()
    return _parse(answer)


def _head(method: str, target: str, host: str, length: int) -> bytes:
    lines = [f"{method} {target} HTTP/1.0", f"Host: {host}", "User-Agent: hatsize", "Accept: application/json, */*"]
    if length:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """HTTP/1.0 was asked for, so the answer ends with the connection."""
    answer = bytearray()
    while piece := await reader.read(65536):
        answer += piece
        if len(answer) > _MAX_ANSWER:
            raise AnswerError(f"its answer is longer than {_MAX_ANSWER} bytes")
    return bytes(answer)


def _parse(answer: bytes) -> tuple[int, bytes]:
    head, found, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not found or not words[0].startswith(b"HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise AnswerError("it does not answer in HTTP")
    lengths = [
        line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    ]
    if lengths and lengths[0] != str(len(body)).encode():
        raise AnswerError("its answer was cut off")
    return int(words[1]), body
