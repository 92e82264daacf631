"""How API v2 tells that something was not done."""

from typing import Any

import msgspec

from hatsize.api.definition import ErrorForm
from hatsize.api.operation import JSON


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client of v2 is told; `message` is what the hosted service's clients show."""

    message: str
    data: list[dict[str, Any]] | None = None
    """Which of a policy's tests failed, and how."""
    status: int = 0


ERRORS = ErrorForm(JSON, Refusal, lambda problem: Refusal(problem.detail, problem.data, problem.status.value))
