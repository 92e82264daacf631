"""HuJSON: JSON with comments and trailing commas. Policies are written in it.

`parse` gives the tree with every value's place, `format_hujson` the one layout, `version_tag` what a document is known
by in `ETag` and `If-Match`.
"""

from hashlib import sha256

from hatsize.wire.hujson_format import format_hujson, is_standard, standardise
from hatsize.wire.hujson_parse import MAX_DEPTH, MAX_SIZE, parse, position
from hatsize.wire.hujson_tree import Array, HuJSONError, Literal, Object, Value, pack, plain

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE",
    "Array",
    "HuJSONError",
    "Literal",
    "Object",
    "Value",
    "format_hujson",
    "is_standard",
    "pack",
    "parse",
    "plain",
    "position",
    "standardise",
    "version_tag",
]


def version_tag(text: str | bytes) -> str:
    """The SHA-256 of the formatted document in hexadecimal: equal for texts that differ only in layout."""
    return sha256(format_hujson(text)).hexdigest()
