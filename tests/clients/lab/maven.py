"""Programs in Java that tests run, by their coordinates in Maven's repository: unpacked once, into the cache."""

import fcntl
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.clients.lab.binaries import cache

FETCH_DEADLINE = 600.0


@dataclass(frozen=True)
class Distribution:
    """One zipped program of one version."""

    group: str
    name: str
    version: str

    @property
    def folder(self) -> Path:
        """Where it is, or will be, unpacked."""
        return cache().parent / "maven" / f"{self.name}-{self.version}"

    @property
    def is_there(self) -> bool:
        return self.folder.exists()

    def install(self) -> None:
        """Fetch and unpack it, unless it is there; nothing without Maven, or where the repository does not have it."""
        if self.is_there or not shutil.which("mvn"):
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_there and self._fetch():
                archive = self._download / f"{self.name}-{self.version}.zip"
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(self._download)
                archive.unlink()
                self._download.rename(self.folder)

    @property
    def _download(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.new")

    def _fetch(self) -> bool:
        shutil.rmtree(self._download, ignore_errors=True)
        artifact = f"-Dartifact={self.group}:{self.name}:{self.version}:zip"
        argv = ["mvn", "--quiet", "--batch-mode", "dependency:copy", artifact, f"-DoutputDirectory={self._download}"]
        return subprocess.run(argv, check=False, timeout=FETCH_DEADLINE).returncode == 0


KEYCLOAK = Distribution("org.keycloak", "keycloak-quarkus-dist", "26.4.0")
NEEDED = (KEYCLOAK,)
