"""What an API is: its operations, where they stand, and how it tells errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import msgspec

from hatsize.api.operation import Call, Operation
from hatsize.api.problems import Problem

PathCheck = Callable[[Call, Mapping[str, str]], Mapping[str, str]]
"""Reads those parts of a path that mean the same in every operation, and returns the others."""


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How an API tells that something was not done."""

    content_type: str
    body: type[msgspec.Struct]
    make: Callable[[Problem], msgspec.Struct]

    def encoded(self, problem: Problem) -> bytes:
        return msgspec.json.encode(self.make(problem)) + b"\n"


@dataclass(frozen=True, slots=True)
class Api:
    """One version of the API."""

    version: str
    """`v1`."""
    operations: Sequence[Operation]
    errors: ErrorForm
    basic: bool = False
    """Whether a credential may also come as the user name of HTTP Basic, as the hosted service takes it."""
    check_path: PathCheck = field(default=lambda _, path: path)

    @property
    def base(self) -> str:
        return f"/api/{self.version}"


def operations_of(modules: Sequence[ModuleType]) -> tuple[Operation, ...]:
    """The operations of modules, each of which has them in its `area`."""
    return tuple(operation for module in modules for operation in module.area.operations)
