"""The page of all settings, and that each of them has a reader."""

import re
from pathlib import Path

import pytest

from hatsize.server import settings_reference
from hatsize.server.settings import Settings
from hatsize.server.settings_sources import keys_of, variables

ROOT = Path(__file__).parents[2]
SOURCES = "\n".join(
    line
    for path in (ROOT / "hatsize").rglob("*.py")
    if not path.name.startswith("settings")
    for line in path.read_text().splitlines()
    if not line.startswith(("import ", "from "))
)
FIELDS = {"dns.nameservers.global": "dns.nameservers.global_", "api.cors_origins": "cors_origins"}
"""Names that Python does not allow, or of a section that is handed on under another name."""
NO_READER = {
    "tls.acme.domains": "",
    "tls.acme.email": "",
    "tls.acme.url": "",
    "tls.acme.challenge": "",
    "tls.acme.listen": "",
    "tls.acme.ca_file": "",
    "policy.mode": "the model itself holds it to policy.file, which is what is read",
}
"""Settings that nobody reads, and why."""


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


@pytest.mark.parametrize("path", keys_of(Settings))
def test_every_setting_is_read_somewhere(path):
    *section, name = ("settings." + FIELDS.get(path, path)).split(".")
    read = re.search(rf"\b{section[-1]}\.{name}\b", SOURCES)
    if path in NO_READER:
        assert not read, f"{path} is read: take it out of NO_READER"
        pytest.xfail(NO_READER[path])
    assert read, f"nobody reads {path}"
