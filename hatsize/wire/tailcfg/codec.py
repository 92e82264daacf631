"""JSON to structures and back, with Go's habits: any letter case, unknown fields ignored, null is zero.

Reading goes in three steps: JSON to plain values, plain values to what the structure's fields expect (names in their
right case, nulls dropped, times, addresses and keys in canonical form), and those into the structure.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from hatsize.wire.tailcfg.base import Wire, WireError
from hatsize.wire.tailcfg.forms import FORMS

S = TypeVar("S", bound=Wire)
Reader = Callable[[Any, str], Any]
"""Takes a plain value and its path, gives the value to convert."""

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""A structure as JSON bytes."""


def decode(kind: type[S], body: bytes) -> S:
    """Read one JSON message; raises WireError with the field's path."""
    try:
        plain = msgspec.json.decode(body)
        return msgspec.convert({} if plain is None else _struct(kind)(plain, "$"), kind, str_keys=True)
    except WireError:
        raise
    except RecursionError:
        raise WireError("the message is nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise WireError(str(error)) from None


@cache
def _struct(kind: type[Wire]) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    fields = {
        sent.lower(): (sent, _reader(hints[name]))
        for name, sent in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    }

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        known = ((fields.get(name.lower()), item) for name, item in value.items() if item is not None)
        return {field[0]: field[1](item, f"{path}.{field[0]}") for field, item in known if field}

    return read


def _reader(hint: Any) -> Reader:
    """The reader of one field's type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(_reader(next(part for part in arguments if part is not types.NoneType)))
    if origin is Annotated:
        extra = next((meta.extra for meta in arguments[1:] if getattr(meta, "extra", None)), None)
        return _text(FORMS[extra["form"]]) if extra else _plain
    if hint in FORMS:
        return _text(FORMS[hint])
    if origin in (list, tuple, Sequence):
        return _list(_reader(arguments[0]))
    if origin in (dict, Mapping):
        return _mapping(_reader(arguments[1]), nullable=types.NoneType in get_args(arguments[1]))
    return _struct(hint) if isinstance(hint, type) and issubclass(hint, Wire) else _plain


def _optional(inner: Reader) -> Reader:
    return lambda value, path: None if value is None else inner(value, path)


def _text(form: Callable[[str], object]) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise WireError(f"Expected `str`, got `{type(value).__name__}` - at `{path}`")
        try:
            return form(value)
        except ValueError as error:
            raise WireError(f"{error} - at `{path}`") from None

    return read


def _list(inner: Reader) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return value
        return [inner(item, f"{path}[...]") for item in value if item is not None]

    return read


def _mapping(inner: Reader, *, nullable: bool) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        return {_plain(k, path): inner(v, f"{path}[...]") for k, v in value.items() if v is not None or nullable}

    return read


def _plain(value: Any, _path: str) -> Any:
    """Any other value; NUL, which no database takes in a text, becomes U+FFFD as broken text does in Go."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
