"""Text to syntax tree, within bounds of size and depth."""

import json
import re
from typing import NoReturn, TypeVar

from hatsize.wire.hujson_tree import Array, HuJSONError, Literal, Object, Value

MAX_SIZE = 2 << 20
MAX_DEPTH = 64
_MAX_NUMBER = 400

_BLANK = re.compile(rb"[ \t\r\n]+")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_WORD = re.compile(rb"[-+.a-zA-Z0-9]*")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

_Composite = TypeVar("_Composite", Array, Object)


def parse(text: str | bytes) -> Value:
    """The tree of the text. Raises `HuJSONError`, with the position, for anything that is not one HuJSON value."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_SIZE:
        raise HuJSONError(f"the document is larger than {MAX_SIZE} bytes", 1, 1)
    parser = _Parser(raw)
    value = parser.value(0)
    if parser.at < len(raw):
        parser.unexpected("after top-level value")
    return value


def position(text: str | bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte offset, both from 1."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return raw.count(b"\n", 0, offset) + 1, offset - (raw.rfind(b"\n", 0, offset) + 1) + 1


class _Parser:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def value(self, depth: int) -> Value:
        before = self.extra()
        value = self.trimmed(depth)
        value.before, value.after = before, self.extra()
        return value

    def trimmed(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        match self.raw[self.at : self.at + 1]:
            case b"":
                self.fail("parsing value: unexpected EOF")
            case b"{":
                return self.object(depth)
            case b"[":
                return self.array(depth)
            case b'"':
                return self.string()
            case b"}" | b"]":
                self.unexpected("at start of value")
            case _:
                pass
        return self.word()

    def object(self, depth: int) -> Object:
        found = Object(self.at)
        self.at += 1
        while not self.closed(found, b"}"):
            before = self.extra()
            if self.raw[self.at : self.at + 1] != b'"':
                start = self.at
                self.trimmed(depth + 1)
                self.at = start
                self.unexpected("at start of object name")
            name = self.string()
            name.before, name.after = before, self.extra()
            self.expect(b":", "object after name", "after object name")
            found.members.append((name, self.value(depth + 1)))
            self.separator(found, b"}", "object")
        return found

    def array(self, depth: int) -> Array:
        found = Array(self.at)
        self.at += 1
        while not self.closed(found, b"]"):
            found.items.append(self.value(depth + 1))
            self.separator(found, b"]", "array")
        return found

    def closed(self, found: _Composite, bracket: bytes) -> bool:
        """Whether the closing bracket comes next; takes it, with the white space before it."""
        start = self.at
        tail = self.extra()
        if self.raw[self.at : self.at + 1] != bracket:
            self.at = start
            return False
        self.at += 1
        found.tail += tail
        return True

    def separator(self, found: _Composite, bracket: bytes, what: str) -> None:
        """Takes a comma, or leaves the closing bracket for `closed`."""
        last = found.members[-1][1] if isinstance(found, Object) else found.items[-1]
        found.comma = self.raw[self.at : self.at + 1] == b","
        if found.comma:
            self.at += 1
        elif self.at == len(self.raw):
            self.fail(f"parsing {what} after value: unexpected EOF")
        elif self.raw[self.at : self.at + 1] != bracket:
            self.unexpected(f"after {what} value (expecting ',' or '{bracket.decode()}')")
        else:
            found.tail, last.after = last.after, b""

    def expect(self, char: bytes, parsing: str, where: str) -> None:
        if self.at == len(self.raw):
            self.fail(f"parsing {parsing}: unexpected EOF")
        if self.raw[self.at : self.at + 1] != char:
            self.unexpected(where)
        self.at += 1

    def string(self) -> Literal:
        match = _STRING.match(self.raw, self.at)
        if not match:
            self.at = len(self.raw)
            self.fail("parsing string: unexpected EOF")
        try:
            json.loads(match[0].decode("utf-8", "replace"))
        except ValueError:
            self.fail(f"invalid literal: {_shown(match[0])}")
        found = Literal(self.at, text=match[0])
        self.at = match.end()
        return found

    def word(self) -> Literal:
        match = _WORD.match(self.raw, self.at)
        text = match[0] if match else b""
        if not text:
            self.unexpected("at start of value")
        if text not in {b"true", b"false", b"null"} and not (len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text)):
            self.fail(f"invalid literal: {_shown(text)}")
        found = Literal(self.at, text=text)
        self.at += len(text)
        return found

    def extra(self) -> bytes:
        """The white space and comments that come next."""
        start = self.at
        while char := self.raw[self.at : self.at + 1]:
            if char in b" \t\r\n":
                self.at = _end(_BLANK.match(self.raw, self.at))
            elif char == b"/" and self.raw[self.at + 1 : self.at + 2] in {b"/", b"*"}:
                self.comment(b"\n" if self.raw[self.at + 1 : self.at + 2] == b"/" else b"*/")
            else:
                break
        return self.raw[start : self.at]

    def comment(self, ending: bytes) -> None:
        end = self.raw.find(ending, self.at + 2)
        if end < 0:
            self.fail("parsing comment: unexpected EOF")
        try:
            self.raw[self.at : end].decode()
        except UnicodeDecodeError:
            self.fail("invalid UTF-8 in comment")
        self.at = end + len(ending)

    def unexpected(self, where: str) -> NoReturn:
        """The character that stands here has no business here."""
        self.fail(f"invalid character {_character(self.raw[self.at : self.at + 4])} {where}")

    def fail(self, reason: str) -> NoReturn:
        raise HuJSONError(reason, *position(self.raw, self.at))


def _end(match: re.Match[bytes] | None) -> int:
    assert match
    return match.end()


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace") if len(text) <= _MAX_NUMBER else f"{text[:40].decode('utf-8', 'replace')}…"


def _character(raw: bytes) -> str:
    """The first character, quoted as Go quotes it."""
    for size in range(1, len(raw) + 1):
        try:
            char = raw[:size].decode()
        except UnicodeDecodeError:
            continue
        if char.isprintable():
            return f"'{char}'" if char not in "'\\" else f"'\\{char}'"
        return f"'\\u{ord(char):04x}'" if ord(char) <= 0xFFFF else f"'\\U{ord(char):08x}'"
    return f"'\\x{raw[0]:02x}'"
