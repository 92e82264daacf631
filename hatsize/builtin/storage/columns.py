"""How a field of a record becomes a column: its type on each engine, and the value both ways."""

import types
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class UtcTime(TypeDecorator[datetime]):
    """An instant: `timestamptz` on PostgreSQL; on SQLite ISO 8601 text in UTC, whose order is the order of time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class _JsonText(UserDefinedType[str]):
    """PostgreSQL's `json`, handed over as text: it keeps what it was given byte for byte, as `jsonb` does not."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "JSON"


class Json(TypeDecorator[Any]):
    """A structure of one Python type as JSON: `json` on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        super().__init__()
        self.kind = kind
        self._decode = msgspec.json.Decoder(kind).decode
        self._encode = msgspec.json.Encoder().encode

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else _JsonText()

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else self._encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else self._decode(value)


class Choice(TypeDecorator[StrEnum]):
    """One of an enumeration's values, kept as text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self.kind(value)


SIMPLE: dict[Any, type[TypeEngine[Any]]] = {
    str: Text,
    int: BigInteger,
    bool: Boolean,
    bytes: LargeBinary,
    datetime: UtcTime,
}


def column(field: FieldInfo) -> Column[Any]:
    """The column of a record's field."""
    kind, nullable = _without_none(field.type)
    return Column(field.name, _type(kind), nullable=nullable or kind is Any)


def _type(kind: Any) -> TypeEngine[Any]:
    kind = getattr(kind, "__supertype__", kind)
    if kind in SIMPLE:
        return SIMPLE[kind]()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Choice(kind)
    return Json(kind)


def _without_none(kind: Any) -> tuple[Any, bool]:
    """A field's type without its None, and whether it had one."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    rest = tuple(part for part in get_args(kind) if part is not types.NoneType)
    return Union[rest], len(rest) < len(get_args(kind))  # noqa: UP007 - made at run time
