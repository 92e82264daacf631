"""What is wrong with settings, told in the words of the one who wrote them, with no secret among them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from hatsize.server.logs import redact

TEXTS = {
    "bool": "is not true or false; give one of them, without quotes",
    "int": "is not a whole number; give one",
    "float": "is not a number; give one",
    "string": "is not a text; give one, in quotes",
    "tuple": 'is not a list; give one, as ["a", "b"]',
    "dict": "is not a table; give one",
    "model": "is not a table; write it as [section]",
    "path": "is not a path; give one, in quotes",
    "missing": "is missing; give it a value",
}
"""What to say for pydantic's errors, by the first word of the error's type."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One wrong setting."""

    key: str
    value: str
    """As it was given, in JSON, or empty where it must not be shown or there is none."""
    text: str
    """What is wrong, and the mend."""
    source: str
    """The file, variable or flag it came from."""

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        origin = f" ({self.source})" if self.source else ""
        return f"{self.key}{shown}{origin}: {self.text}"


class SettingsError(Exception):
    """Settings that cannot be used, with all that is wrong with them."""

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def wrong(key: str, value: Any, text: str) -> PydanticCustomError:
    """The error a section's validator raises about one of its keys."""
    return PydanticCustomError("setting", "{text}", {"key": key, "value": value, "text": text})


def problems_of(
    error: ValidationError, sources: Mapping[str, str], known: Mapping[str, bool], above: str = ""
) -> list[SettingProblem]:
    """What pydantic found, one problem for each wrong setting.

    `sources` tells where each key came from; `known` are the keys there are, and whether each one is secret;
    `above` is what all of them begin with.
    """
    return [_problem(details, sources, known, above) for details in error.errors(include_url=False)]


def _problem(
    details: ErrorDetails, sources: Mapping[str, str], known: Mapping[str, bool], above: str
) -> SettingProblem:
    key, context = above + dotted(details["loc"]), details.get("ctx", {})
    value = details.get("input")
    if details["type"] == "setting":
        key, value = f"{key}.{context['key']}".lstrip("."), context["value"]
    hidden = known.get(key, False) or details["type"] in {"extra_forbidden", "missing"}
    shown = "" if hidden else show(value)
    return SettingProblem(key, shown, _text(details, key, known), _source(key, sources))


def _text(details: ErrorDetails, key: str, known: Iterable[str]) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        near = get_close_matches(key, known, n=1, cutoff=0.6)
        return "is not a setting; " + (f"did you mean {near[0]}?" if near else "remove it")
    told = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return TEXTS.get(kind.partition("_")[0]) or redact(told)


def dotted(location: Iterable[int | str]) -> str:
    """`dns.extra_records[0].name` for pydantic's location of an error."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def show(value: Any) -> str:
    """A value as it may be shown: in JSON, short, and without what is secret in it."""
    if value is None or isinstance(value, SecretStr) or (isinstance(value, Mapping) and len(value) > 3):
        return ""
    text = redact(json.dumps(value, default=str, ensure_ascii=False))
    return text if len(text) <= 120 else text[:117] + "…"


def _source(key: str, sources: Mapping[str, str]) -> str:
    """Where the key, or the nearest one above it, was set."""
    while key and key not in sources:
        key = key.rpartition("[" if key.endswith("]") else ".")[0]
    return sources.get(key, "")
