"""Operations: what an API can do, each one a function whose parameters say what it takes.

A handler's first parameter is the `Call`; `body` and `query` are structs, read from the request; every other one is a
part of the path, `node_id` being `{nodeId}`. A body of type `bytes` is the request's as it is. What it returns is the
answer: a struct or a mapping, sent as JSON; a `Reply`, sent as it is; or None for an answer without a body.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec.structs import replace
from werkzeug.datastructures import Headers

from hatsize.api.contract import Command, Live
from hatsize.api.credentials import Principal
from hatsize.api.problems import Problem
from hatsize.api.reading import read_body, read_query, snake
from hatsize.tailnet.model import Change, Record
from hatsize.tailnet.scopes import ALL, grants

JSON = "application/json"
ANYBODY = "anybody"
"""In place of a scope: no credential is asked for, and `principal` is nobody."""
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not JSON made of a struct, or that needs headers of its own."""

    content: bytes = b""
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] | None = None

    @classmethod
    def of(cls, answer: Any) -> "Reply":
        """What a handler returned, as it is sent."""
        if isinstance(answer, Reply):
            return answer
        return cls() if answer is None else cls(msgspec.json.encode(answer) + b"\n")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being carried out."""

    live: Live
    principal: Principal
    headers: Headers
    """The request's; their names are found in any case."""
    parameters: Mapping[str, str]
    """All that is behind the question mark, for handlers whose parameters cannot be named beforehand."""

    @property
    def now(self) -> datetime:
        return self.live.clock()

    def demand(self, scope: str) -> None:
        """Raises the 403 problem when the one who asks was not granted a scope."""
        if not grants(self.principal.scopes, scope):
            held = " ".join(self.principal.scopes) or "none"
            raise Problem(HTTPStatus.FORBIDDEN, f"this needs the scope {scope}, and the credential has {held}")

    async def run(self, command: Command) -> Change | None:
        """Carry out a command as the one who asks."""

        def signed(state: Any) -> Change | None:
            change = command(state)
            return replace(change, actor=self.principal.actor) if change else None

        return await self.live.run(signed)

    async def put(self, kind: type[R], command: Command) -> R:
        """Carry out a command and return the row of a table that it made or changed."""
        change = await self.run(command)
        assert change is not None
        return next(record for record in change.puts if isinstance(record, kind))


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    """What follows the API's base."""
    name: str
    summary: str
    area: str
    scope: str
    """What the credential must have been granted; empty where the handler demands it, as what it needs depends; or
    ANYBODY."""
    handler: Callable[..., Awaitable[Any]]
    types: Mapping[str, Any]
    """The types of the handler's parameters and, under `return`, of its answer."""

    @property
    def own_scope(self) -> str:
        """The scope to tell of; empty where there is none, or it is that of everything."""
        return "" if self.scope in {ANYBODY, ALL} else self.scope

    async def carry_out(self, call: Call, path: Mapping[str, str], body: bytes) -> Reply:
        """Read what the handler takes, and call it; raises Problem when that cannot be read, or is not allowed."""
        if self.scope not in {"", ANYBODY}:
            call.demand(self.scope)
        taken: dict[str, Any] = {snake(name): value for name, value in path.items()}
        if "query" in self.types:
            taken["query"] = read_query(call.parameters, self.types["query"])
        if "body" in self.types:
            taken["body"] = read_body(body, self.types["body"])
        return Reply.of(await self.handler(call, **taken))


class Area:
    """The operations of one noun, in the order in which they are documented."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.operations: list[Operation] = []

    def add(self, method: str, path: str, name: str, summary: str, *, scope: str = ALL) -> Callable[[H], H]:
        """Make a handler the operation of a method and a path, `{nodeId}` standing for a part of it."""

        def added(handler: H) -> H:
            types = get_type_hints(handler, include_extras=True)
            self.operations.append(Operation(method, path, name, summary, self.name, scope, handler, types))
            return handler

        return added
