"""The vocabulary of events is what changes are made with, and nothing else."""

import ast
import re
from pathlib import Path

import hatsize
from hatsize.hooks.events import VOCABULARY

ROOT = Path(hatsize.__file__).parent
KIND = re.compile(r"[a-z]+\.[a-z_]+")


def kinds_in(path):
    """The kinds that a module makes changes with, written out as text in the call itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Change":
            for keyword in node.keywords:
                if keyword.arg == "kind":
                    yield from texts_in(keyword.value)


def texts_in(tree):
    return {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and "." in str(each.value)}


def test_every_kind_of_change_is_in_the_vocabulary():
    made = {kind for path in ROOT.rglob("*.py") for kind in kinds_in(path)}
    assert made
    assert made <= set(VOCABULARY)


def test_so_is_what_commands_tell_of_that_is_put_together_elsewhere():
    nouns = {kind.partition(".")[0] for kind in VOCABULARY}
    rooms = [ROOT / "tailnet" / "commands", ROOT / "live" / "reloading.py"]
    modules = [path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else [room])]
    texts = {text for path in modules for text in texts_in(ast.parse(path.read_text())) if KIND.fullmatch(str(text))}
    told = {text for text in texts if text.partition(".")[0] in nouns}
    assert told
    assert told <= set(VOCABULARY)


def test_nothing_in_it_is_never_told():
    rooms = ("tailnet", "live", "control", "importing", "server")
    texts = {
        text for room in rooms for path in (ROOT / room).rglob("*.py") for text in texts_in(ast.parse(path.read_text()))
    }
    assert set(VOCABULARY) <= texts


def test_a_kind_says_what_happened_to_what():
    for kind, words in VOCABULARY.items():
        noun, _, verb = kind.partition(".")
        assert noun.isalpha(), kind
        assert verb.replace("_", "").isalpha(), kind
        assert words[0].islower(), kind
