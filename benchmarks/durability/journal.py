"""What each replica writes down of its operations: that one begins, and what it came to. Lines of JSON."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Operation:
    """One wish and what became of it. Times are of the machine's monotonic clock, in nanoseconds."""

    name: str
    """Unique; the log's entry has it as its actor."""
    kind: str
    wish: dict[str, Any]
    begun: int
    ended: int | None = None
    """None where nobody was there any more to hear the answer."""
    outcome: str = ""
    """`done`, `refused` by the tailnet's own rules, or `failed` for want of the storage."""
    words: str = ""
    seq: int = 0
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of what is `done`, the rows as they were told, by table."""


class Journal:
    """A replica's own; a line that was written survives the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def begin(self, name: str, kind: str, wish: Mapping[str, Any]) -> None:
        self._write({"name": name, "kind": kind, "wish": wish, "begun": time.monotonic_ns()})

    def end(self, name: str, outcome: str, **more: Any) -> None:
        self._write({"name": name, "ended": time.monotonic_ns(), "outcome": outcome, **more})

    def _write(self, line: Mapping[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_journals(paths: list[Path]) -> list[Operation]:
    """Everything the replicas wrote down; a last line that a kill cut off is left out."""
    operations: dict[str, Operation] = {}
    for path in paths:
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                continue
            entry = json.loads(line)
            if "begun" in entry:
                operations[entry["name"]] = Operation(**entry)
            else:
                vars(operations[entry["name"]]).update(entry)
    return list(operations.values())
