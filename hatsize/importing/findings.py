"""What an import has to tell: what comes over changed, and what stays behind, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class ImportRefusedError(Exception):
    """The import cannot be done; the message says why, and the mend. Nothing was changed."""


class Kind(StrEnum):
    NOTE = "note"
    """Good to know; nothing is lost."""
    CHANGED = "changed"
    """It comes over, but not as it was."""
    LEFT_OUT = "left out"
    """It does not come over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell about one row or setting."""

    kind: Kind
    what: str
    """The row or setting, as `node 3 (laptop)`."""
    text: str
    """What is the matter, and the mend where there is one."""


@dataclass(slots=True)
class Count:
    """How many rows of a kind there were, and how many come over."""

    found: int = 0
    imported: int = 0


@dataclass(slots=True)
class Findings:
    """Collects what there is to tell, in the order it was found."""

    told: list[Finding] = field(default_factory=list)
    counts: dict[str, Count] = field(default_factory=dict)

    def note(self, what: str, text: str) -> None:
        self.told.append(Finding(Kind.NOTE, what, text))

    def changed(self, what: str, text: str) -> None:
        self.told.append(Finding(Kind.CHANGED, what, text))

    def left_out(self, what: str, text: str) -> None:
        self.told.append(Finding(Kind.LEFT_OUT, what, text))

    def count(self, what: str, found: int, imported: int) -> None:
        self.counts[what] = Count(found, imported)

    def plain(self) -> Mapping[str, Any]:
        """All of it as JSON values."""
        return {
            "counts": {what: asdict(count) for what, count in self.counts.items()},
            "findings": [{"kind": each.kind.value, "what": each.what, "text": each.text} for each in self.told],
        }
