"""White space and comments of HuJSON, brought into shape: the part of formatting that looks at no value."""

import re
from dataclasses import dataclass

SPACE = b" \t\r\n"
_BLOCK = re.compile(rb"/\*.*?\*/", re.DOTALL)


def has_newline(extra: bytes) -> bool:
    return b"\n" in extra


def has_comment(extra: bytes) -> bool:
    return bool(extra.lstrip(SPACE))


@dataclass(frozen=True)
class Shape:
    """What is asked of a stretch of white space and comments."""

    depth: int = 0
    """Tabs before a comment at the start of a line."""
    leading_newline: bool = False
    trailing_newline: bool = False
    no_leading_blank: bool = False
    no_trailing_blank: bool = False
    unindent_last: bool = False
    space_if_empty: bool = False


def shaped(extra: bytes, shape: Shape) -> bytes:
    """The stretch in shape: at most one blank line in a row, comments indented, a space where a line goes on."""
    extra = extra.replace(b"\r\n", b"\n").replace(b"\n\r", b"\n").replace(b"\r", b" ")
    out = bytearray(b"\n" if shape.leading_newline and not has_newline(extra) else b"")
    at = 0
    while at < len(extra):
        rest = extra[at:].lstrip(SPACE)
        blank = len(extra) - at - len(rest)
        if blank:
            out += b"\n" * min(extra.count(b"\n", at, at + blank), 2)
            at += blank
        else:
            out += b"\t" * shape.depth if out.endswith(b"\n") else b" "
            at += _comment(rest, shape.depth, out)
    return _ended(out, shape)


def _ended(out: bytearray, shape: Shape) -> bytes:
    if shape.trailing_newline and not out.endswith(b"\n"):
        out += b"\n"
    while shape.no_leading_blank and out.startswith(b"\n\n"):
        del out[0]
    while shape.no_trailing_blank and out.endswith(b"\n\n"):
        del out[-1]
    if out.endswith(b"\n"):
        out += b"\t" * (shape.depth - shape.unindent_last)
    elif out or shape.space_if_empty:
        out += b" "
    return bytes(out)


def _comment(extra: bytes, depth: int, out: bytearray) -> int:
    """Put out the comment that comes next; how long it was, without the end of a line comment's line."""
    if extra.startswith(b"//"):
        length = extra.index(b"\n")
        out += _right_trimmed(extra[:length])
        return length
    length = extra.index(b"*/", 2) + 2
    comment = extra[:length]
    out += _block(comment, depth) if b"\n" in comment else comment
    return length


def _right_trimmed(line: bytes) -> bytes:
    """Without the space at its end, as Unicode has space."""
    return line.decode("utf-8", "surrogateescape").rstrip(_UNICODE_SPACE).encode("utf-8", "surrogateescape")


_UNICODE_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def _block(comment: bytes, depth: int) -> bytes:
    """A comment over several lines: the indentation they share is replaced by the one that is due."""
    first, *lines = [_right_trimmed(line) for line in comment.split(b"\n")]
    common = next((line for line in lines if line), b"")
    for number, line in enumerate(lines):
        if line.lstrip(SPACE) == b"*/":
            lines[number] = common[: _indent(common)] + b"*/"
            break
        if line:
            common = _shared(common, line)
    indent = _indent(common)
    starred = common[indent : indent + 1] == b"*" and first != b"" and all(lines)
    lead = b"\t" * depth + (b" " if starred else b"")
    return b"\n".join([first, *(lead + line[indent:] if line else b"" for line in lines)]).rstrip(b"\n")


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(SPACE))


def _shared(one: bytes, two: bytes) -> bytes:
    """What both lines begin with."""
    length = 0
    while length < min(len(one), len(two)) and one[length] == two[length]:
        length += 1
    # A line that is wholly the start of the other does not shorten it.
    return one[:length] if length < min(len(one), len(two)) else one


def width(extra: bytes) -> tuple[int, int, bool]:
    """About how long the comments are, on the first line and on the last, and whether there are several lines."""
    if b"\n" not in extra:
        length = _width(extra)
        return length, length, False
    return _width(extra[: extra.index(b"\n")]), _width(extra[extra.rindex(b"\n") + 1 :]), True


def _width(line: bytes) -> int:
    total = 0
    while True:
        line = line.lstrip(SPACE)
        block = _BLOCK.match(line)
        if block:
            total += 1 + block.end()
            line = line[block.end() :]
        elif line.startswith((b"//", b"/*")):
            return total + 1 + len(line)
        else:
            return total + 1 if total else 0
