"""The operators' page on policies: its documents are sound, its commands exist, its sessions go as written."""

import re
import shlex
from pathlib import Path

import pytest

from hatsize.cli.policy import command

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")


def fenced(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def sessions():
    """Command lines and what they print."""
    parts = re.split(r"^\$ ", "".join(fenced("console")), flags=re.MULTILINE)
    return [part.split("\n", 1) for part in parts if part]


@pytest.mark.parametrize("document", fenced("hujson"))
def test_a_document_is_valid_and_raises_no_doubt(hatsize, tmp_path, document):
    result = hatsize("policy", "check", "-f", "-", "--data-dir", str(tmp_path), stdin=document)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Policy is valid")


def test_the_first_documents_own_tests_hold(hatsize, written):
    assert hatsize("policy", "preview", "-f", "policy.hujson", "--topology", "tailnet.json").code == 0


@pytest.mark.parametrize("line", "".join(fenced("sh")).splitlines())
def test_a_command_is_one(line):
    program, noun, verb, *words = shlex.split(line)
    assert (program, noun) == ("hatsize", "policy")
    found = command.get_command(None, verb)
    assert found is not None
    found.make_context(verb, words)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The page's first document and its tailnet, in the current folder."""
    (tmp_path / "policy.hujson").write_text(fenced("hujson")[0])
    (tmp_path / "tailnet.json").write_text(fenced("json")[0])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("line", "printed"), sessions())
def test_a_session_goes_as_written(hatsize, written, line, printed):
    assert hatsize(*shlex.split(line)[1:]).out == printed
