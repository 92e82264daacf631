"""One machine of the lab: a network namespace whose processes have an /etc of their own."""

import ctypes
import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from tests.clients.lab.commands import DEFAULT_DEADLINE, run, succeeds

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

CLONE_NEWNET = 0x40000000
OWN_ETC = 'mount --bind "$0" /etc && exec "$@"'
GRACE = 2.0


class Namespace:
    """A machine by its name in the lab; its processes see the folder `etc` as /etc, so a client may own resolv.conf."""

    def __init__(self, lab: str, name: str, directory: Path) -> None:
        self.name = name
        self.full_name = f"{lab}-{name}"
        self.directory = directory / name
        self.address = ""
        self.at_close: list[Callable[[], None]] = []
        self.directory.mkdir()
        shutil.copytree("/etc", self.etc, symlinks=True)
        self.etc.joinpath("resolv.conf").unlink(missing_ok=True)
        self.etc.joinpath("resolv.conf").touch()
        run(["ip", "netns", "add", self.full_name])
        self.ip("link", "set", "lo", "up")

    @property
    def etc(self) -> Path:
        return self.directory / "etc"

    def ip(self, *arguments: str) -> None:
        run(["ip", "-n", self.full_name, *arguments])

    def argv(self, *command: str) -> list[str]:
        """The command line that runs `command` on this machine; it dies with the thread that starts it."""
        enter = ["ip", "netns", "exec", self.full_name, "unshare", "--mount", "--propagation", "private"]
        return [*enter, "setpriv", "--pdeathsig", "KILL", "sh", "-c", OWN_ETC, str(self.etc), *command]

    def run(self, *command: str, deadline: float = DEFAULT_DEADLINE, env: Mapping[str, str] | None = None) -> str:
        return run(self.argv(*command), deadline=deadline, env=env)

    def succeeds(self, *command: str, deadline: float = DEFAULT_DEADLINE) -> bool:
        return succeeds(self.argv(*command), deadline=deadline)

    def call(self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """The result of a Python function whose sockets belong to this machine: it runs in a thread moved there."""
        with ThreadPoolExecutor(1, initializer=_enter, initargs=(self.full_name,)) as thread:
            return thread.submit(function, *args, **kwargs).result()


def _enter(full_name: str) -> None:
    namespace = os.open(f"/run/netns/{full_name}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", full_name)
    finally:
        os.close(namespace)


def names() -> list[str]:
    """The full names of all network namespaces of this machine."""
    return [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line]


def remove(full_names: list[str]) -> None:
    """End what runs in the namespaces, then remove them."""
    for full_name in full_names:
        _signal(full_name, "KILL")
    deadline = time.monotonic() + GRACE
    while any(_pids(full_name) for full_name in full_names) and time.monotonic() < deadline:
        time.sleep(0.05)
    for full_name in full_names:
        run(["ip", "netns", "del", full_name])


def _pids(full_name: str) -> list[str]:
    return run(["ip", "netns", "pids", full_name]).split()


def _signal(full_name: str, signal: str) -> None:
    if pids := _pids(full_name):
        succeeds(["kill", f"-{signal}", *pids])
