"""The seam between a listener and the protocols that take a connection over (`/ts2021`, `/derp`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A connection whose HTTP/1.1 request asked for a registered Upgrade token, not yet answered.

    Whoever takes it owns `transport`: it writes its own answer (101 or an error), calls `transport.set_protocol()`
    with its protocol, and treats `trailing`, the bytes that came behind the request's head, as the first it received.
    A WebSocket that carries the same byte stream arrives as the same thing, already answered (`answered`).
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    transport: "asyncio.Transport"
    trailing: bytes = b""
    tls: bool = False
    remote: str = ""
    """The client's address; behind a trusted proxy, the one the proxy names."""
    answered: bool = False
    extensions: dict[str, object] = field(default_factory=dict)


Upgrader = Callable[[Upgrade], None]
"""Takes a connection over; must not block. Registered with the listener under (path, Upgrade token)."""
