"""Writes a tree of settings as TOML 1.0; the standard library only reads it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(tree: Mapping[str, Any]) -> str:
    """A document of the tree's texts, numbers, truth values, lists and tables."""
    return "\n".join(_lines(tree, "")).strip() + "\n"


def _lines(tree: Mapping[str, Any], above: str) -> Iterator[str]:
    tables = {key: value for key, value in tree.items() if isinstance(value, Mapping)}
    arrays = {key: value for key, value in tree.items() if _is_of_tables(value)}
    for key, value in tree.items():
        if key not in tables and key not in arrays:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        path = f"{above}{_key(key)}"
        if not value or any(not isinstance(inner, Mapping) and not _is_of_tables(inner) for inner in value.values()):
            yield f"\n[{path}]"
        yield from _lines(value, f"{path}.")
    for key, value in arrays.items():
        for table in value:
            yield f"\n[[{above}{_key(key)}]]"
            yield from _lines(table, f"{above}{_key(key)}.")


def _is_of_tables(value: Any) -> bool:
    """Whether it is written as tables one below the other."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_value(inner)}' for key, inner in value.items())}}}"
    return str(value) if isinstance(value, int | float) else _text(str(value))


def _text(text: str) -> str:
    """A basic string: JSON's escapes are among TOML's, which also wants DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
