"""A data directory and the one process that has it."""

import subprocess
import sys

import pytest

from hatsize.server.sole_use import InUseError, sole_use

HOLD = """
import sys
from pathlib import Path
from hatsize.server.sole_use import sole_use
with sole_use(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_in_words(tmp_path):
    with sole_use(tmp_path), pytest.raises(InUseError, match="is in use by another Hatsize process: stop it"):
        sole_use(tmp_path).__enter__()
    with sole_use(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_held_is_free_at_once(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InUseError):
            sole_use(tmp_path).__enter__()
        holder.kill()
        holder.wait()
        with sole_use(tmp_path):
            pass


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_server_has_its_directory_to_itself(hatsize_server, tmp_path):
    async with hatsize_server() as server:
        with pytest.raises(InUseError):
            sole_use(server.parts.settings.data_dir).__enter__()
    with sole_use(server.parts.settings.data_dir):
        pass
