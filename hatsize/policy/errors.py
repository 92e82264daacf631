"""What is said about a policy that is refused, or that is accepted with a doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remark:
    """One thing found in a policy document, where it stands, and a hint at the mend where there is one."""

    text: str
    line: int = 0
    column: int = 0
    hint: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{place}{self.text}{f' ({self.hint})' if self.hint else ''}"


@dataclass(eq=False)
class PolicyError(Exception):
    """A policy is refused. `message` carries the hosted service's text; `data` tells which tests failed, and how."""

    message: str
    data: list[dict[str, Any]] = field(default_factory=list)
    remarks: Sequence[Remark] = ()

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, Any]:
        """The refusal as the HTTP API answers it."""
        return {"message": self.message, "data": self.data} if self.data else {"message": self.message}


MAX_SHOWN = 20
"""How many remarks one refusal lists."""


def refusal(remarks: Sequence[Remark]) -> PolicyError:
    """All that is wrong with a document, as one error."""
    shown = [str(remark) for remark in remarks[:MAX_SHOWN]]
    if len(remarks) > MAX_SHOWN:
        shown.append(f"and {len(remarks) - MAX_SHOWN} more")
    return PolicyError("\n".join(shown), remarks=tuple(remarks))
