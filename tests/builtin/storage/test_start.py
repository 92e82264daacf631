"""Starting on a database that is current: quick, and without the tool that migrates."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatsize
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage

START = """
import json, sys, time
from pathlib import Path
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage

storage = SqlStorage(database_of("", Path(sys.argv[1])))
begun = time.process_time()
storage.open()
took = time.process_time() - begun
storage.close()
print(json.dumps({"took": took, "alembic": "alembic" in sys.modules, "from": sys.modules["hatsize"].__file__}))
"""


def started(directory, **environment):
    command = [sys.executable, "-c", START, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=directory, env=environment or None)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_current_database_opens_quickly_and_without_alembic(tmp_path):
    storage = SqlStorage(database_of("", tmp_path))
    storage.open()
    storage.close()
    start = started(tmp_path)
    assert not start["alembic"]
    assert start["took"] < 0.05


@pytest.mark.slow
def test_an_installed_package_brings_its_migrations(tmp_path):
    """As from a wheel: the package unpacked elsewhere, no file of the repository in reach."""
    package = Path(hatsize.__file__).parent
    wheel = tmp_path / "hatsize.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, Path("hatsize") / file.relative_to(package))
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    start = started(tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert start["alembic"]
    assert Path(start["from"]).is_relative_to(tmp_path)
    assert (tmp_path / "hatsize.db").exists()
