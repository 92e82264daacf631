"""Whether a plugin's folder is ready to be published: what `hatsize plugins check` finds wrong with it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hatsize.cli.plugin_reports import services_of
from hatsize.hooks.discovery import GROUP, Installed, settings_model
from hatsize.hooks.errors import PluginError

PUBLIC = ("hatsize.hooks", "hatsize.testing", "hatsize.tailnet", "hatsize.wire", "hatsize.policy.errors")
"""What a plugin may import of hatsize: the hooks, the fixtures, and the types these name."""


def findings(folder: Path) -> list[str]:
    """What is wrong with a plugin's project, each in one line; nothing when it is sound."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
    except FileNotFoundError:
        return [f"{folder} has no pyproject.toml: make a plugin with `hatsize plugins new NAME`"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"pyproject.toml cannot be read: {error}"]
    return [*_metadata(folder, project), *_entries(folder, project), *foreign_imports(folder)]


def foreign_imports(folder: Path) -> Iterator[str]:
    """The imports, in a folder's modules, of what is not public."""
    for path in sorted(folder.rglob("*.py")):
        if ".venv" in path.parts:
            continue
        for line, module in _imports(path):
            if module.partition(".")[0] == "hatsize" and not _is_public(module):
                yield f"{path.relative_to(folder)}:{line} imports {module}: plugins import {', '.join(PUBLIC)} alone"


def _metadata(folder: Path, project: dict[str, Any]) -> Iterator[str]:
    for key in ("name", "description", "readme", "requires-python", "license"):
        if key not in project:
            yield f"pyproject.toml has no project.{key}"
    if "version" not in project and "version" not in project.get("dynamic", ()):
        yield "pyproject.toml has no project.version"
    if not any(each.replace(" ", "").startswith("hatsize") for each in project.get("dependencies", ())):
        yield 'pyproject.toml does not depend on hatsize: add it to project.dependencies, as "hatsize>=0.1"'
    if not list(folder.glob("tests/test_*.py")):
        yield "there are no tests: put some into tests/test_….py"


def _entries(folder: Path, project: dict[str, Any]) -> Iterator[str]:
    entries = project.get("entry-points", {}).get(GROUP, {})
    if not entries:
        mend = f'[project.entry-points.{GROUP}] with NAME = "PACKAGE.plugin:plugin"'
        yield f"pyproject.toml announces no plugin: add {mend}"
    added = [str(folder.resolve()), str(folder.resolve() / "src")]
    sys.path[:0] = added
    try:
        for name, target in entries.items():
            yield from _entry(Installed(name, "", "", "", EntryPoint(name, target, GROUP)))
    finally:
        for path in added:
            sys.path.remove(path)


def _entry(plugin: Installed) -> Iterator[str]:
    try:
        loaded = plugin.load()
        services_of(loaded, plugin.name, settings_model(loaded, plugin.name))
    except PluginError as error:
        yield str(error)
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_url=False))
        yield f"plugin {plugin.name!r} cannot be enabled without settings: give {keys} a default"


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"hatsize.{alias.name}" for alias in node.names] if node.module == "hatsize" else [node.module]
            yield from ((node.lineno, name) for name in names)


def _is_public(module: str) -> bool:
    return any(module == public or module.startswith(public + ".") for public in PUBLIC)
