"""docs/features.md names every scenario with real clients, and nothing that is not there."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS, MIDDLE, NEWEST, OLDEST

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "features.md"
SCENARIOS = ROOT / "tests" / "clients"
PROOF = re.compile(r"`([^`]+)`")
NONE = "-"
BY_NAME = {"OLDEST": {OLDEST}, "MIDDLE": {MIDDLE}, "NEWEST": {NEWEST}, "CLIENT_VERSIONS": set(CLIENT_VERSIONS)}


@dataclass(frozen=True)
class Row:
    feature: str
    proofs: tuple[str, ...]
    versions: frozenset[str]

    def scenarios(self) -> Iterator[tuple[str, str]]:
        """Module and name of each test with real clients."""
        for proof in self.proofs:
            if "::" in proof:
                module, _, name = proof.partition("::")
                yield module, name


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ") and "| Proof |" not in line]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [Row(feature, tuple(PROOF.findall(proof)), told(versions)) for feature, _, proof, versions in cells]


def told(text: str) -> frozenset[str]:
    """Versions as the table has them, `1.80, 1.102`, in full."""
    minors = {".".join(version.split(".")[:2]): version for version in CLIENT_VERSIONS}
    return frozenset(minors[minor] for minor in text.split(", ")) if text != NONE else frozenset()


ROWS = rows()
ids = [row.feature for row in ROWS]


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"tests.clients.{name}")


def parameters(module: str, name: str) -> set[str]:
    """The versions a test is parametrised with; none when it is not."""
    marks = getattr(getattr(module_of(module), name), "pytestmark", [])
    found = [mark.args[1] for mark in marks if mark.name == "parametrize" and mark.args[0] == "version"]
    return {version for versions in found for version in versions} & set(CLIENT_VERSIONS)


def versions_in(module: str) -> set[str]:
    """The versions that a module's clients can have: those it names, and the newest, which is meant where none is."""
    source = (SCENARIOS / f"{module}.py").read_text()
    named = (versions for name, versions in BY_NAME.items() if re.search(rf"\b{name}\b", source))
    return {NEWEST}.union(*named)


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_each_proof_is_there(row: Row) -> None:
    assert row.proofs
    for module, name in row.scenarios():
        assert callable(getattr(module_of(module), name, None)), f"{name} is not in tests/clients/{module}.py"
    for proof in row.proofs:
        assert "::" in proof or (ROOT / proof).is_file(), f"{proof} is not there"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_the_versions_are_those_the_test_runs_with(row: Row) -> None:
    for module, name in row.scenarios():
        if given := parameters(module, name):
            assert row.versions == given
        else:
            assert row.versions <= versions_in(module)


def test_every_scenario_is_named() -> None:
    named = {module for row in ROWS for module, _ in row.scenarios()}
    there = {path.stem for path in SCENARIOS.glob("test_*.py")}
    assert there - named == set(), "tests/clients has scenarios that docs/features.md does not name: give each a row"
    assert named <= there


def test_no_feature_is_named_twice() -> None:
    assert len(ids) == len(set(ids))
