"""The command line answers at once."""

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

HATSIZE = Path(sysconfig.get_path("scripts")) / "hatsize"
LIMIT = 0.3
"""Seconds, the best of several: what the machine does besides is not the program's."""


@pytest.mark.slow
def test_help_is_there_in_under_a_third_of_a_second():
    seconds = []
    for _ in range(7):
        begun = time.perf_counter()
        answer = subprocess.run([HATSIZE, "--help"], check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - begun)
    assert "serve" in answer.stdout
    assert min(seconds) < LIMIT


def test_the_pytest_plugin_imports_nothing_of_the_server():
    """It is loaded in every pytest run of an environment with hatsize."""
    code = """
import sys, pytest
before = set(sys.modules)
import hatsize.testing.pytest_plugin
print(*(set(sys.modules) - before))
"""
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in loaded if not name.startswith("hatsize")] == []
    assert len(loaded) < 5
