"""A new plugin's folder, written from the templates in `skeleton/`."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from hatsize.cli.failures import Failure
from hatsize.hooks import API_VERSION

FILES = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "README.md": "README.md.tmpl",
    "CHANGELOG.md": "CHANGELOG.md.tmpl",
    "hatsize_{module}/__init__.py": "init.py.tmpl",
    "hatsize_{module}/py.typed": "",
    "hatsize_{module}/plugin.py": "plugin.py.tmpl",
    "tests/conftest.py": "conftest.py.tmpl",
    "tests/test_{module}_plugin.py": "test_plugin.py.tmpl",
}
"""What is written, and from which template."""


def write_skeleton(name: str, above: Path) -> Sequence[Path]:
    """Write a plugin called `name` into a new folder `hatsize-NAME`; the files. Raises Failure when that exists."""
    folder = above / f"hatsize-{name}"
    if folder.exists():
        raise Failure(f"{folder} exists already: choose another name, or remove it")
    module = name.replace("-", "_")
    values = {"name": name, "module": module, "plugin": _camel(name), "api": API_VERSION}
    written = []
    for target, template in FILES.items():
        path = folder / target.format(module=module)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_template(template).substitute(values), "utf-8")
        written.append(path)
    return written


def _template(name: str) -> Template:
    return Template(files("hatsize.cli").joinpath("skeleton", name).read_text("utf-8") if name else "")


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
