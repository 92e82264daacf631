"""Whoever follows the tutorial to the letter ends with a plugin that can be published."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = REPOSITORY / "docs" / "plugins" / "tutorial.md"
BIN = Path(sys.executable).parent


def files_in(text):
    return dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```\n", text, re.DOTALL))


def commands_in(text):
    blocks = re.findall(r"```sh\n(.*?)```\n", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def run(*command, cwd):
    done = subprocess.run([str(each) for each in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_works(tmp_path):
    text = TUTORIAL.read_text()
    assert "hatsize plugins new webhook" in commands_in(text)
    run(BIN / "hatsize", "plugins", "new", "webhook", cwd=tmp_path)
    folder = tmp_path / "hatsize-webhook"
    for name, content in files_in(text).items():
        assert (folder / name).exists(), "the skeleton has another shape by now"
        (folder / name).write_text(content)
    assert "2 passed" in run(sys.executable, "-m", "pytest", "-q", cwd=folder)
    assert "hatsize plugins check ." in commands_in(text)
    assert run(BIN / "hatsize", "plugins", "check", ".", cwd=folder) == "ok\n"


def test_the_files_it_names_are_there():
    for page in (TUTORIAL, TUTORIAL.parent / "README.md"):
        for target in re.findall(r"\]\((\.\.?/[^)#]+|[a-z]+\.md)\)", page.read_text()):
            assert (page.parent / target).exists(), target
