"""The page of all settings, and that each of them has a reader."""

import ast
from functools import cache
from pathlib import Path

import pytest

from hatsize.server import settings_reference
from hatsize.server.settings import Settings
from hatsize.server.settings_sources import keys_of, variables

ROOT = Path(__file__).parents[2]
SOURCES = [path for path in (ROOT / "hatsize").rglob("*.py") if not path.name.startswith("settings")]
FIELDS = {"dns.nameservers.global": "dns.nameservers.global_", "api.cors_origins": "cors_origins"}
"""Names that Python does not allow, or of a section that is handed on under another name."""
NO_READER = {
    "policy.mode": "the model itself holds it to policy.file, which is what is read",
}
"""Settings that nobody reads, and why."""


@cache
def settings() -> dict[str, settings_reference.Setting]:
    defaults = Settings.model_construct().model_dump(mode="json", by_alias=True)
    return {each.path: each for each in settings_reference.settings_of(Settings, defaults)}


def test_the_page_is_in_step_with_the_model():
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == settings_reference.page(), "python -m hatsize.server.settings_reference > docs/settings.md"


def test_the_page_has_every_setting_with_its_variable():
    assert {each.variable: path for path, each in settings().items()} == variables(Settings)


@pytest.mark.parametrize("path", settings())
def test_every_setting_says_what_it_does(path):
    assert settings()[path].text.endswith(".")


@pytest.fixture(scope="module")
def read():
    """What is read of what, as `dns.base_domain`, by the last two names of each chain of attributes."""
    trees = (ast.walk(ast.parse(path.read_text())) for path in SOURCES)
    chains = [node for tree in trees for node in tree if isinstance(node, ast.Attribute)]
    return {f"{getattr(node.value, 'attr', getattr(node.value, 'id', ''))}.{node.attr}" for node in chains}


@pytest.mark.parametrize("path", keys_of(Settings))
def test_every_setting_is_read_somewhere(path, read):
    end = ".".join(("settings." + FIELDS.get(path, path)).split(".")[-2:])
    if path in NO_READER:
        assert end not in read, f"{path} is read: take it out of NO_READER"
        pytest.xfail(NO_READER[path])
    assert end in read, f"nobody reads {path}"
