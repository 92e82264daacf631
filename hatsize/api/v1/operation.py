"""Operations: what API v1 can do, each one a function whose parameters say what it takes.

A handler's first parameter is the `Call`; `body` and `query` are structs, read from the request; every other one is a
part of the path, `node_id` being `{nodeId}`. What it returns is the answer.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from msgspec.structs import replace

from hatsize.api.contract import Command, Live
from hatsize.api.problems import Problem, bad_request
from hatsize.api.v1.schema import Answer
from hatsize.tailnet.model import Change, Record

BASE = "/api/v1"
MAX_ID = 2**64 - 1
H = TypeVar("H", bound=Callable[..., Awaitable[Answer]])
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being carried out."""

    live: Live
    actor: str

    @property
    def now(self) -> datetime:
        return self.live.clock()

    async def run(self, command: Command) -> Change | None:
        """Carry out a command as the one who asks."""

        def signed(state: Any) -> Change | None:
            change = command(state)
            return replace(change, actor=self.actor) if change else None

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
    name: str
    summary: str
    area: str
    handler: Callable[..., Awaitable[Answer]]
    types: Mapping[str, Any]
    """The types of the handler's parameters and, under `return`, of its answer."""

    async def carry_out(self, call: Call, path: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """Read what the handler takes, and call it; raises Problem when that cannot be read."""
        taken: dict[str, Any] = {snake(name): value for name, value in path.items()}
        if "query" in self.types:
            taken["query"] = read_query(query, self.types["query"])
        if "body" in self.types:
            taken["body"] = read_body(body, self.types["body"])
        return await self.handler(call, **taken)


class Area:
    """The operations of one noun, in the order in which they are documented."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.operations: list[Operation] = []

    def add(self, method: str, path: str, name: str, summary: str) -> Callable[[H], H]:
        """Make a handler the operation of a method and a path, `{nodeId}` standing for a part of it."""

        def added(handler: H) -> H:
            types = get_type_hints(handler, include_extras=True)
            self.operations.append(Operation(method, BASE + path, name, summary, self.name, handler, types))
            return handler

        return added


def read_body(raw: bytes, expected: Any) -> Any:
    """The request's body; 400 when it is absent or no JSON, 422 when it is not of the expected form."""
    if not raw.strip():
        if NoneType in get_args(expected):
            return None
        raise bad_request("a JSON body is required: send {} for an empty one")
    try:
        return msgspec.json.decode(raw, type=expected)
    except msgspec.ValidationError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body is not as expected: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"the body is not JSON: {error}") from None


def read_query(given: Mapping[str, str], expected: Any) -> Any:
    """The parameters behind the question mark; unknown ones are ignored."""
    try:
        return msgspec.convert(dict(given), type=expected, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"a parameter is not as expected: {error}") from None


def read_id(text: str, what: str) -> int:
    """A 64-bit id; raises the 400 problem."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or int(text) > MAX_ID:
        raise bad_request(f"{text[:40]!r} is not the id of {what}: give a whole number")
    return int(text)


def snake(name: str) -> str:
    """`nodeId` as `node_id`."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)
