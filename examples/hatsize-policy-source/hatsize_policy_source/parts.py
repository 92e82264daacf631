"""One policy from many files."""

import json
from pathlib import Path
from typing import Any


class PartsError(Exception):
    """Files that cannot be joined; the message names the file."""


def joined(folder: Path) -> str:
    """The policy that the folder's `*.json` files make, in the order of their names; raises PartsError."""
    whole: dict[str, Any] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            part = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise PartsError(f"{path} cannot be read: {error}") from error
        if not isinstance(part, dict):
            raise PartsError(f"{path} is not a JSON object")
        for key, value in part.items():
            whole[key] = _both(whole[key], value, f"{path}: {key}") if key in whole else value
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _both(one: Any, other: Any, where: str) -> Any:
    """Two values of one key as one: lists appended, tables merged, equals kept."""
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            **one,
            **{key: _both(one[key], other[key], f"{where}.{key}") if key in one else other[key] for key in other},
        }
    if one != other:
        raise PartsError(f"{where} is given differently by another file")
    return one
