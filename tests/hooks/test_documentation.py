"""The reference is in step with the hooks, and every hook has an example that works and a test."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from hatsize.hooks import areas
from hatsize.hooks.manager import Plugins

REPOSITORY = Path(__file__).parents[2]
REFERENCE = REPOSITORY / "docs" / "hooks"
HOOKS = {name: function for area in areas.AREAS for name, function in areas.hooks_of(area).items()}


def reference():
    spec = importlib.util.spec_from_file_location("write_reference", REFERENCE / "write.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize(("name", "text"), reference().items())
def test_the_reference_is_in_step(name, text):
    assert (REFERENCE / name).read_text() == text, "write it anew: python docs/hooks/write.py"


def test_there_is_no_page_of_what_is_gone():
    assert {path.name for path in REFERENCE.glob("*.md")} == set(reference())


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_docstring_says_how_results_combine(hook):
    doc = inspect.getdoc(HOOKS[hook])
    assert re.search(r"\*(Service|First|All|Chain)\*|once, before anything", doc), doc


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_example_is_a_plugin(hook, example):
    plugins = Plugins()
    plugins.add(example(hook), "example")
    assert hook in plugins.hooks_of("example")


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if "_register_" in hook])
def test_a_services_example_keeps_its_interface(hook, example):
    plugins = Plugins()
    plugins.add(example(hook), "example")
    assert plugins.services(hook.removeprefix("hatsize_register_"))


@pytest.mark.parametrize("hook", ["hatsize_blueprints", "hatsize_running", "hatsize_metrics"])
def test_a_contributions_example_answers(hook, quiet_server, example):
    plugin = example(hook)
    assert getattr(plugin, hook)(quiet_server)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test(hook):
    here = Path(__file__)
    texts = [path.read_text() for path in here.parent.glob("test_*.py") if path != here]
    kind = hook.removeprefix("hatsize_register_")
    named = re.compile(rf"\b{hook}\b" if kind == hook else rf"\b{hook}\b|\"{kind}\"")
    assert any(named.search(text) for text in texts)
