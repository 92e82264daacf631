"""HuJSON in its one layout, byte for byte that of Go's `hujson.Format`, and HuJSON as plain JSON.

An object or array is either on one line or has each member on a line of its own, indented by a tab. It is spread out
where it was already, where it would be wider than 80 columns, and where it is an object of several members of which
one is spread out. The values of an object's neighbouring lines are aligned.
"""

import re

from hatsize.wire.hujson_extra import SPACE, Shape, has_comment, has_newline, shaped, width
from hatsize.wire.hujson_parse import parse
from hatsize.wire.hujson_tree import Array, Literal, Object, Value, children, pack, string

WIDTH = 80
Stats = tuple[int, int, bool]
"""The length of the first line and of the last, and whether there are several."""


def format_hujson(text: str | bytes) -> bytes:
    """The text in its one layout. Formatting twice changes nothing. Raises HuJSONError."""
    tree = parse(text)
    tree.before = shaped(tree.before, Shape()).lstrip(SPACE)
    standard = is_standard(tree)
    _normalise(tree)
    spread: set[int] = set()
    _measure(tree, spread)
    _lay_out(tree, 0, spread, standard=standard)
    _align(tree)
    tree.after = _right_trimmed(shaped(tree.after, Shape())) + b"\n"
    return pack(tree)


def standardise(text: str | bytes) -> bytes:
    """The text as plain JSON of the same length: comments and trailing commas become spaces. Raises HuJSONError."""
    tree = parse(text)
    _standardise(tree)
    return pack(tree)


def is_standard(value: Value) -> bool:
    """Whether a tree is plain JSON: no comments, no trailing commas."""
    extras = [value.before, value.after]
    if isinstance(value, Object | Array):
        if value.comma:
            return False
        extras.append(value.tail)
    return not any(map(has_comment, extras)) and all(map(is_standard, children(value)))


def _standardise(value: Value) -> None:
    value.before, value.after = _blanked(value.before), _blanked(value.after)
    for child in children(value):
        _standardise(child)
    if isinstance(value, Object | Array):
        value.tail = (b" " if value.comma else b"") + _blanked(value.tail)
        value.comma = False


def _blanked(extra: bytes) -> bytes:
    return re.sub(rb"[^ \t\r\n]", b" ", extra)


def _normalise(value: Value) -> None:
    """Strings without needless escapes; no white space before colons and commas, nor in what is empty."""
    if isinstance(value, Literal):
        if value.is_string and b"\\" in value.text:
            value.text = quoted(string(value))
        return
    inside = children(value)
    if not inside and isinstance(value, Object | Array) and not has_comment(value.tail):
        value.tail = b""
    for child in inside:
        if not has_comment(child.after):
            child.after = b""
        _normalise(child)


_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')


def quoted(text: str) -> bytes:
    """The string as JSON with the fewest escapes (RFC 8785, 3.2.2.2)."""
    return b'"' + _ESCAPED.sub(_escape, text).encode() + b'"'


def _escape(char: re.Match[str]) -> str:
    return _ESCAPES.get(char[0]) or f"\\u{ord(char[0]):04x}"


def _measure(value: Value, spread: set[int]) -> Stats:
    """Find what is to be spread out; how wide the value is then."""
    if isinstance(value, Literal):
        return len(value.text), len(value.text), False
    assert isinstance(value, Object | Array)
    lines = [1]

    def count(stats: Stats) -> None:
        first, last, several = stats
        lines[-1] += first
        if several:
            lines.append(last)

    must = False
    for name, member in _entries(value):
        head = name or member
        must = must or has_newline(head.before)
        for part in (name, member) if name else (member,):
            count(width(part.before))
            count(_measure(part, spread))
            count(width(part.after))
            lines[-1] += 2
    lines[-1] += 1
    inside = children(value)
    must = must or bool(inside and has_newline(inside[-1].after)) or has_newline(value.tail)
    if must or any(line > WIDTH for line in lines):
        spread.add(id(value))
        return 1 + width(inside[0].before if inside else value.tail)[0], 1, True
    return lines[0], lines[-1], len(lines) > 1


def _entries(value: Object | Array) -> list[tuple[Literal | None, Value]]:
    if isinstance(value, Object):
        return list(value.members)
    return [(None, item) for item in value.items]


def _lay_out(value: Value, depth: int, spread: set[int], *, standard: bool) -> None:
    if not isinstance(value, Object | Array):
        return
    expand = id(value) in spread
    inner = Shape(depth + 2, no_leading_blank=True, no_trailing_blank=True)
    for number, (name, member) in enumerate(_entries(value)):
        head = name or member
        head.before = shaped(
            head.before, Shape(depth + 1, expand, no_leading_blank=not number, space_if_empty=number > 0)
        )
        offset = int(expand)
        if name:
            name.after = shaped(name.after, inner)
            member.before = shaped(
                member.before, Shape(depth + 2, no_leading_blank=True, no_trailing_blank=True, space_if_empty=True)
            )
            offset += has_newline(name.after) or has_newline(member.before)
        _lay_out(member, depth + offset, spread, standard=standard)
        member.after = shaped(member.after, inner)
    _close(value, depth, expand=expand, standard=standard)


def _close(value: Object | Array, depth: int, *, expand: bool, standard: bool) -> None:
    """Shape what stands before the bracket, and put a comma after the last member or take it away."""
    inside = children(value)
    value.tail = shaped(
        value.tail,
        Shape(
            depth + 1,
            trailing_newline=expand,
            no_leading_blank=not inside,
            no_trailing_blank=True,
            unindent_last=True,
        ),
    )
    if not inside:
        return
    surrounded = bool(inside[-1].after and value.tail)
    if not expand and not surrounded:
        _set_comma(value, inside[-1], wanted=False)
    elif expand and not standard:
        _set_comma(value, inside[-1], wanted=True)


def _set_comma(value: Object | Array, last: Value, *, wanted: bool) -> None:
    if value.comma and not wanted:
        value.tail, last.after = last.after + value.tail, b""
    value.comma = wanted


def _align(value: Value) -> None:
    """Pad the names of an object's neighbouring lines to the same width."""
    if isinstance(value, Object):
        rows: list[tuple[Value, int]] = []
        for name, member in value.members:
            if (
                not has_newline(name.before)
                or any(map(has_newline, (name.after, member.before, member.after)))
                or _is_spread(member)
            ):
                _pad(rows)
                continue
            if name.before.count(b"\n") > 1:
                _pad(rows)
            rows.append((member, len(name.text) + len(name.after) + 1 + len(member.before)))
        _pad(rows)
    for child in children(value):
        _align(child)


def _pad(rows: list[tuple[Value, int]]) -> None:
    widest = max((length for _, length in rows), default=0)
    for member, length in rows:
        member.before += b" " * (widest - length)
    rows.clear()


def _is_spread(value: Value) -> bool:
    """Whether there is a line break inside, its own surroundings aside."""
    return any(has_newline(child.before) or has_newline(child.after) or _is_spread(child) for child in children(value))


def _right_trimmed(extra: bytes) -> bytes:
    return extra.decode().rstrip().encode()
