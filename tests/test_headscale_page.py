"""docs/headscale.md names tests and files; they are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "headscale.md"
TEXT = PAGE.read_text()
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))
LINKS = sorted(set(re.findall(r"\]\(([^)#]+)", TEXT)))


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_test_that_is_named_is_there(path, name):
    source = (ROOT / path).read_text()
    assert re.search(rf"^\s*(async )?def {name}\(" if name else r"def test_", source, re.MULTILINE)


@pytest.mark.parametrize("link", LINKS)
def test_a_page_that_is_linked_is_there(link):
    assert (PAGE.parent / link).exists()
