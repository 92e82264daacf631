"""One row of a foreign database, read with patience: a cell that makes no sense is told of and taken for empty.

Times are text in SQLite and datetimes in PostgreSQL, truth values are numbers or booleans, lists are JSON in a text.
Go's zero time (year 1) and the JSON literal `null` mean "none".
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from hatsize.importing.findings import Findings

T = TypeVar("T")
Cells = Mapping[str, Any]
Tables = Mapping[str, Sequence[Cells]]
"""The rows of a database by table, each by column."""

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*\s*(Z|[+-]\d\d:?\d\d)?.*")


@dataclass(frozen=True, slots=True)
class Row:
    """A row, what to call it, and where to tell of what is wrong with it."""

    cells: Cells
    name: str
    findings: Findings

    @property
    def id(self) -> int:
        """The row's number; 0 where it has none."""
        return self.number("id") or 0

    def has(self, column: str) -> bool:
        """Whether the table has the column, and the row something in it."""
        return self.cells.get(column) is not None

    def text(self, column: str) -> str:
        """A text, empty where there is none."""
        return self._read(column, _text) or ""

    def number(self, column: str) -> int | None:
        return self._read(column, int)

    def flag(self, column: str) -> bool:
        return bool(self._read(column, _flag))

    def time(self, column: str) -> datetime | None:
        """A moment in UTC."""
        return self._read(column, _time)

    def texts(self, column: str) -> tuple[str, ...]:
        """A JSON list of texts."""
        found = self._read(column, json_texts)
        if found is not None and _text(self.cells[column]) == "null":
            self.findings.changed(self.name, f"{column} is the JSON literal null: taken for none")
        return found or ()

    def _read(self, column: str, reader: Callable[[Any], T]) -> T | None:
        value = self.cells.get(column)
        if value is None:
            return None
        try:
            return reader(value)
        except (ValueError, TypeError, OverflowError):
            self.findings.changed(self.name, f"{column} cannot be read: comes over without")
            return None


def rows(tables: Tables, names: Sequence[str], label: Callable[[Cells], str], findings: Findings) -> list[Row]:
    """The rows of the first of these tables there is, those marked as deleted left out, by id."""
    cells = next((tables[name] for name in names if name in tables), ())
    alive = (each for each in cells if each.get("deleted_at") is None)
    found = [Row(each, label(each), findings) for each in alive]
    return sorted(found, key=lambda row: row.id)


def json_texts(value: Any) -> tuple[str, ...]:
    """A JSON list of texts, or a list; ValueError for anything else but nothing."""
    plain = value if isinstance(value, list) else json.loads(_text(value) or "null")
    if plain is None:
        return ()
    if not isinstance(plain, list) or not all(isinstance(item, str) for item in plain):
        raise ValueError("not a list of texts")
    return tuple(plain)


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in {"1", "t", "true"}
    return bool(value)


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return _in_utc(value)
    match = TIME.fullmatch(_text(value))
    if not match:
        raise ValueError("not a time")
    day, clock, fraction, offset = match.groups()
    return _in_utc(datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{offset or '+00:00'}"))


def _in_utc(moment: datetime) -> datetime | None:
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
