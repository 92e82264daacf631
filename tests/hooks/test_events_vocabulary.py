"""The vocabulary of events is what changes are made with, and nothing else."""

import ast
from pathlib import Path

import hatsize
from hatsize.hooks.events import VOCABULARY

ROOT = Path(hatsize.__file__).parent


def kinds_in(path):
    """The kinds that a module makes changes with, written out as text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Change":
            for keyword in node.keywords:
                if keyword.arg == "kind":
                    yield from (
                        each.value
                        for each in ast.walk(keyword.value)
                        if isinstance(each, ast.Constant) and "." in str(each.value)
                    )


def test_every_kind_of_change_is_in_the_vocabulary():
    made = {kind for path in ROOT.rglob("*.py") for kind in kinds_in(path)}
    assert made
    assert made <= set(VOCABULARY)


def test_a_kind_says_what_happened_to_what():
    for kind, words in VOCABULARY.items():
        noun, _, verb = kind.partition(".")
        assert noun.isalpha(), kind
        assert verb.replace("_", "").isalpha(), kind
        assert words[0].islower(), kind
