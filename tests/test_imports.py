"""Imports between the rooms go one way, so that each can be read and tested without those that stand on it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BELOW = {
    "wire": set(),
    "tailnet": {"wire"},
    "policy": {"wire", "tailnet"},
    "hooks": {"wire", "tailnet", "policy"},
    "netmap": {"wire", "tailnet", "policy", "hooks"},
    "live": {"wire", "tailnet", "policy", "hooks", "netmap"},
    "builtin": {"wire", "tailnet", "policy", "hooks"},
    "importing": {"wire", "tailnet", "policy", "hooks", "builtin"},
    "control": {"wire", "tailnet", "policy", "hooks", "netmap", "live", "derp"},
    "api": {"wire", "tailnet", "policy", "hooks", "netmap", "live"},
    "derp": {"wire"},
    "server": {"wire", "tailnet", "policy", "hooks", "netmap", "live", "builtin", "control", "api", "derp"},
    "cli": {
        *("wire", "tailnet", "policy", "hooks", "netmap", "live", "builtin", "importing"),
        *("control", "api", "derp", "server"),
    },
    "testing": {"wire", "tailnet", "policy", "hooks", "netmap", "live", "builtin", "control", "api", "derp", "server"},
}
"""What each room may import besides itself."""

PURE = ("wire", "tailnet", "policy", "netmap")
IMPURE = {"asyncio", "anyio", "socket", "threading", "time", "sqlalchemy", "quart", "hypercorn", "subprocess"}
ALLOWED = {("wire/mapframe.py", "threading"), ("wire/upgrade.py", "asyncio")}
"""A thread-local compressor; a type's name."""

SERVER_ONLY = {"hypercorn": {"server"}}
PUBLIC = {"hooks", "testing", "wire", "tailnet", "policy"}
"""What plugins may import: the hooks and the public types these name."""


def imports_of(path: Path) -> set[str]:
    """The modules a file imports anywhere in it, by their dotted names; what is imported only for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files_of(room: str) -> list[Path]:
    return sorted((ROOT / "hatsize" / room).rglob("*.py"))


def test_every_room_has_its_place():
    rooms = {path.name for path in (ROOT / "hatsize").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(BELOW)


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_what_is_below_it(room):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in imports_of(path)
        if name.startswith("hatsize.") and name.split(".")[1] in BELOW.keys() - BELOW[room] - {room}
    ]
    assert not wrong


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_do_no_input_and_output_and_know_no_clock(room):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in imports_of(path)
        if (top := name.split(".")[0]) in IMPURE and (str(path.relative_to(ROOT / "hatsize")), top) not in ALLOWED
    ]
    assert not wrong


@pytest.mark.parametrize(("library", "rooms"), SERVER_ONLY.items())
def test_a_librarys_insides_are_known_to_one_room(library, rooms):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room in BELOW.keys() - rooms
        for path in files_of(room)
        for name in imports_of(path)
        if name.split(".")[0] == library
    ]
    assert not wrong


def plugin_files() -> list[Path]:
    return [path for path in sorted((ROOT / "plugins").rglob("*.py")) if "tests" not in path.parts]


def test_plugins_import_only_what_is_theirs_to_import():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in plugin_files()
        for name in imports_of(path)
        if name.startswith("hatsize.") and name.split(".")[1] not in PUBLIC
    ]
    assert not wrong
