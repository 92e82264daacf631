"""Names that several labs side by side do not share, and that the next lab takes back when one was killed.

A lab holds a lock on a file in its own folder for as long as it lives: a folder whose lock is free is a dead lab's.
"""

import fcntl
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.clients.lab import namespaces

ROOT = Path(tempfile.gettempdir()) / "hatsize-lab"
FULL_NAME = re.compile(r"(hzlab-[0-9a-f]{6})-.+")


@dataclass(frozen=True)
class Lease:
    """The prefix of one lab's namespaces and the folder of its files."""

    prefix: str
    directory: Path
    lock: TextIO

    def give_back(self) -> None:
        with _alone():
            shutil.rmtree(self.directory)
            self.lock.close()


def take() -> Lease:
    """A fresh lease, after the labs of killed processes were removed."""
    ROOT.mkdir(mode=0o755, exist_ok=True)
    with _alone():
        _remove_dead_labs()
        prefix = f"hzlab-{secrets.token_hex(3)}"
        directory = ROOT / prefix
        directory.mkdir()
        lock = (directory / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Lease(prefix, directory, lock)


def _remove_dead_labs() -> None:
    prefixes: dict[str, list[str]] = {directory.name: [] for directory in ROOT.glob("hzlab-*")}
    for full_name in namespaces.names():
        if match := FULL_NAME.fullmatch(full_name):
            prefixes.setdefault(match[1], []).append(full_name)
    for prefix, full_names in prefixes.items():
        if not _is_alive(ROOT / prefix / "lock"):
            namespaces.remove(full_names)
            shutil.rmtree(ROOT / prefix, ignore_errors=True)


def _is_alive(lock: Path) -> bool:
    if not lock.exists():
        return False
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _alone() -> Iterator[None]:
    with (ROOT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
