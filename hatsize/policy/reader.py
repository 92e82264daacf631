"""Reads typed things off a HuJSON tree, and remarks on what is not as it should be, with its place in the text."""

import difflib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from hatsize.policy.errors import MAX_SHOWN, Remark
from hatsize.wire.hujson_tree import Array, Literal, Object, Value, plain, string

T = TypeVar("T")
MAX_REMARKS = 1000
"""How many remarks on one document are kept."""
MAX_TEXT = 500
"""How long one remark may be."""


class Text(str):
    """A string of the document that knows the byte offset it stands at."""

    __slots__ = ("at",)
    at: int

    @staticmethod
    def of(literal: Literal) -> "Text":
        text = Text(string(literal))
        text.at = literal.start
        return text


class Reader:
    """One document being read. What is wrong is collected, so that a person sees all of it at once."""

    def __init__(self, raw: bytes) -> None:
        self._breaks = [found.start() for found in re.finditer(b"\n", raw)]
        self.remarks: list[Remark] = []
        self.warnings: list[Remark] = []

    def line(self, at: int) -> int:
        return self._place(at)[0]

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_left(self._breaks, at)
        return line + 1, at - self._breaks[line - 1] if line else at + 1

    def refuse(self, at: int, text: str, hint: str = "") -> None:
        if len(self.remarks) < MAX_REMARKS:
            self.remarks.append(Remark(_shortened(text), *self._place(at), hint))

    def warn(self, at: int, text: str) -> None:
        if len(self.warnings) < MAX_REMARKS:
            self.warnings.append(Remark(text, *self._place(at)))

    def attempt(self, at: int, read: Callable[[str], T], text: str, prefix: str = "") -> T | None:
        """What `read` makes of the text; None and a remark where it raises ValueError."""
        try:
            return read(text)
        except ValueError as error:
            self.refuse(at, f"{prefix}{error}")
            return None

    def fields(self, value: Value | None, what: str, known: Iterable[str]) -> "Fields":
        """The members of an object, whose names match in any case; unknown ones are refused by name."""
        found: dict[str, Value] = {}
        names = {name.lower(): name for name in known}
        for literal, member in self._members(value, what):
            name = names.get(literal.lower())
            if name is None:
                self.refuse(literal.at, f'unknown field "{literal}"', self._guess(literal, names))
            elif not is_null(member):
                found[name] = member
        return Fields(self, found, value.start if value else 0)

    def _guess(self, name: str, names: Mapping[str, str]) -> str:
        """The field that was probably meant."""
        tried = len(self.remarks) < MAX_SHOWN and len(name) < 50
        close = difflib.get_close_matches(name.lower(), names, 1) if tried else []
        return f'did you mean "{names[close[0]]}"?' if close else ""

    def mapping(self, value: Value | None, what: str) -> Iterator[tuple[Text, Value]]:
        """The members of an object whose names are free; a repeated name is refused."""
        seen = set()
        for name, member in self._members(value, what):
            if name in seen:
                self.refuse(name.at, f'{what}: "{name}" is defined twice')
            seen.add(name)
            yield name, member

    def _members(self, value: Value | None, what: str) -> Iterator[tuple[Text, Value]]:
        if isinstance(value, Object):
            yield from ((Text.of(name), member) for name, member in value.members)
        elif value is not None and not is_null(value):
            self.refuse(value.start, f"{what} must be an object")

    def items(self, value: Value | None, what: str) -> list[Value]:
        if isinstance(value, Array):
            return value.items
        if value is not None and not is_null(value):
            self.refuse(value.start, f"{what} must be a list")
        return []

    def texts(self, value: Value | None, what: str) -> list[Text]:
        return [text for item in self.items(value, what) if (text := self.text(item, f"{what}: an item")) is not None]

    def text(self, value: Value | None, what: str) -> Text | None:
        if isinstance(value, Literal) and value.is_string:
            return Text.of(value)
        if value is not None and not is_null(value):
            self.refuse(value.start, f"{what} must be a string")
        return None

    def flag(self, value: Value | None, what: str) -> bool:
        if isinstance(value, Literal) and value.text in {b"true", b"false"}:
            return value.text == b"true"
        if value is not None and not is_null(value):
            self.refuse(value.start, f"{what} must be true or false")
        return False


class Fields:
    """The known members of one object, `at` its offset."""

    def __init__(self, reader: Reader, found: Mapping[str, Value], at: int) -> None:
        self.reader, self.found, self.at = reader, found, at

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def get(self, *names: str) -> Value | None:
        """The member of the first of the names that is there."""
        return next((self.found[name] for name in names if name in self.found), None)

    def texts(self, *names: str) -> list[Text]:
        return self.reader.texts(self.get(*names), names[0])

    def text(self, name: str) -> Text | None:
        return self.reader.text(self.get(name), name)

    def flag(self, name: str) -> bool:
        return self.reader.flag(self.get(name), name)

    def plain(self, name: str) -> Any:
        value = self.get(name)
        return None if value is None else plain(value)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def is_null(value: Value) -> bool:
    return isinstance(value, Literal) and value.text == b"null"
