"""The syntax tree of a HuJSON text: JSON values, and the white space and comments around each of them.

    before value after        outermost, and each name, member and element
    { before name after : before value after , … tail }
    [ before value after , … tail ]

`tail` is what stands before the closing bracket, after the last comma or, where there is none, after the last value.
"""

import json
from dataclasses import dataclass, field
from typing import Any


class HuJSONError(ValueError):
    """The text is not HuJSON, or exceeds the bounds. `line` and `column` count from 1, columns in bytes."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason, self.line, self.column = reason, line, column


@dataclass(slots=True, eq=False)
class Value:
    """One value and what surrounds it; `start` is its byte offset in the text."""

    start: int
    before: bytes = b""
    after: bytes = b""


@dataclass(slots=True, eq=False)
class Literal(Value):
    """A string, number, boolean or null, as it was written."""

    text: bytes = b""

    @property
    def is_string(self) -> bool:
        return self.text.startswith(b'"')


@dataclass(slots=True, eq=False)
class Array(Value):
    items: list[Value] = field(default_factory=list)
    tail: bytes = b""
    comma: bool = False
    """Whether a comma follows the last item."""


@dataclass(slots=True, eq=False)
class Object(Value):
    members: list[tuple[Literal, Value]] = field(default_factory=list)
    tail: bytes = b""
    comma: bool = False


def plain(value: Value) -> Any:
    """The value as Python has it; of equal names in an object the last one counts."""
    if isinstance(value, Object):
        return {string(name): plain(member) for name, member in value.members}
    if isinstance(value, Array):
        return [plain(item) for item in value.items]
    assert isinstance(value, Literal)
    return string(value) if value.is_string else json.loads(value.text)


def string(literal: Literal) -> str:
    """The string a literal stands for. What is no Unicode text in it becomes U+FFFD, as in Go."""
    text: str = json.loads(literal.text.decode("utf-8", "replace"))
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def children(value: Value) -> list[Value]:
    """The values directly inside, names included, in their order."""
    if isinstance(value, Object):
        return [part for member in value.members for part in member]
    return value.items if isinstance(value, Array) else []


def pack(value: Value) -> bytes:
    """The text of the tree; of a tree that was only parsed, the very text it came from."""
    out = bytearray()
    _pack(value, out)
    return bytes(out)


def _pack(value: Value, out: bytearray) -> None:
    out += value.before
    match value:
        case Object():
            out += b"{"
            for number, (name, member) in enumerate(value.members, 1):
                _pack(name, out)
                out += b":"
                _pack(member, out)
                out += b"," if number < len(value.members) or value.comma else b""
            out += value.tail + b"}"
        case Array():
            out += b"["
            for number, item in enumerate(value.items, 1):
                _pack(item, out)
                out += b"," if number < len(value.items) or value.comma else b""
            out += value.tail + b"]"
        case Literal():
            out += value.text
    out += value.after
