"""The npm packages that tests run, by name and version: each in a folder of its own in the cache."""

import fcntl
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.clients.lab.binaries import cache

INSTALL_DEADLINE = 300.0


@dataclass(frozen=True)
class Package:
    """One npm package of one version, with what it depends on."""

    name: str
    version: str

    @property
    def folder(self) -> Path:
        """Where it is, or will be: scripts in this folder can import it."""
        return cache().parent / "npm" / f"{self.name}-{self.version}"

    @property
    def is_there(self) -> bool:
        return (self.folder / "node_modules" / self.name / "package.json").exists()

    def install(self) -> None:
        """Fetch it, unless it is there; nothing without npm."""
        if self.is_there or not shutil.which("npm"):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        argv = ["npm", "install", *flags, "--prefix", str(self.folder), f"{self.name}@{self.version}"]
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_there:
                subprocess.run(argv, check=True, timeout=INSTALL_DEADLINE, stdout=subprocess.DEVNULL)


OIDC_PROVIDER = Package("oidc-provider", "9.13.3")
OLDEST_NODE = 20
"""What the packages run on."""
NODE = Package(f"node-linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}", "22.21.1")
"""Node.js itself, for machines whose own is older, as Debian 12's."""


def node() -> str:
    """The Node.js to run packages with; empty where there is none."""
    if _is_new_enough():
        return shutil.which("node") or ""
    packaged = NODE.folder / "node_modules" / NODE.name / "bin" / "node"
    return str(packaged) if packaged.exists() else ""


def needed() -> list[Package]:
    """What single tests run here."""
    return [OIDC_PROVIDER] if _is_new_enough() else [OIDC_PROVIDER, NODE]


def _is_new_enough() -> bool:
    command = shutil.which("node")
    if command is None:
        return False
    told = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    return int(told.lstrip("v").partition(".")[0]) >= OLDEST_NODE
