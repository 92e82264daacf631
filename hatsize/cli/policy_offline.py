"""Policies judged without a server. Slow to import: only for the verbs that find none, or are told to ask none."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatsize.cli.arguments import read_text
from hatsize.cli.failures import Refused
from hatsize.policy.errors import PolicyError
from hatsize.policy.explain import explain
from hatsize.policy.preview import load, preview
from hatsize.policy.question import read_question
from hatsize.policy.read import read_document
from hatsize.policy.topology import Topology, from_golden


def read_alone(text: str) -> Sequence[str]:
    """The warnings about a policy that is well formed, whatever its tests say; raises Refused."""
    with _refusing():
        return [str(warning) for warning in read_document(text).warnings]


def previewed(text: str, topology: Path, names: Sequence[str]) -> Any:
    """What nodes of a tailnet in a file, all or those with these names, would be sent; raises Refused."""
    with _refusing():
        found = preview(text, read_topology(topology))
    unknown = [name for name in names if name not in found]
    if unknown:
        raise Refused(f"there is no node {unknown[0]} in {topology}")
    return {name: found[name] for name in names} if names else found


def explained(text: str, topology: Path, src: str, dst: str, proto: str) -> dict[str, Any]:
    """Which rules let one party of a tailnet in a file reach another; raises Refused."""
    with _refusing():
        compiled = load(text, read_topology(topology))
        try:
            question = read_question(dst, proto)
            found = explain(compiled, src, question.dst, question.port, question.protocol)
        except ValueError as error:
            raise Refused(str(error)) from None
    reasons = [
        {"src": each.src, "dst": each.dst, "rule": each.path, "line": each.line, "opens": each.opens}
        for each in found.reasons
    ]
    return {"allowed": found.allowed, "reasons": reasons, "missing": list(found.missing)}


def read_topology(path: Path) -> Topology:
    """The tailnet in a file; raises Refused and PolicyError."""
    try:
        return from_golden(json.loads(read_text(path)))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is not JSON: {error}") from error


@contextmanager
def _refusing() -> Iterator[None]:
    """A policy that is refused inside is Refused."""
    try:
        yield
    except PolicyError as error:
        raise Refused(error.message, error.data) from error
