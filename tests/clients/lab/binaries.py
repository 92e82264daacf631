"""The Go programs the lab needs, by name and version: built once, one after the other, into a cache."""

import fcntl
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

OLDEST, MIDDLE, NEWEST = "1.80.3", "1.92.5", "1.102.5"
CLIENT_VERSIONS = (OLDEST, MIDDLE, NEWEST)
OWN_SOURCES = Path(__file__).parent.parent / "go"
"""Go programs of our own, each a module in the folder of its name."""
BUILD_DEADLINE = 900.0


def cache() -> Path:
    """Where built programs are kept: `HATSIZE_BIN_DIR`, or hatsize/bin in the user's cache."""
    return Path(os.environ.get("HATSIZE_BIN_DIR") or Path.home() / ".cache" / "hatsize" / "bin")


@dataclass(frozen=True)
class Program:
    """One Go command of one released version; `folder` is its place in the cache."""

    package: str
    version: str
    folder: str
    tags: str = ""
    alias: str = ""

    @property
    def path(self) -> Path:
        return cache() / self.folder / self.package.rsplit("/", 1)[-1]

    def install(self) -> None:
        if not self.path.exists():
            _go("install", *self._flags(), f"{self.package}@v{self.version}", GOBIN=str(self.path.parent))
        if self.alias and not (link := self.path.with_name(self.alias)).exists():
            link.symlink_to(self.path.name)

    def _flags(self) -> list[str]:
        return ["-ldflags", "-s -w", *(["-tags", self.tags] if self.tags else [])]


def tailscaled(version: str) -> Program:
    """The daemon, which is also the command line when called by its alias `tailscale`."""
    return Program(
        "tailscale.com/cmd/tailscaled", version, f"tailscale-{version}", tags="ts_include_cli", alias="tailscale"
    )


HEADSCALE = Program("github.com/juanfont/headscale/cmd/headscale", "0.29.2", "headscale-0.29.2")
DERPER = Program("tailscale.com/cmd/derper", NEWEST, f"derper-{NEWEST}")
DERPPROBE = Program("tailscale.com/cmd/derpprobe", NEWEST, f"derper-{NEWEST}")
GITOPS_PUSHER = Program("tailscale.com/cmd/gitops-pusher", NEWEST, f"gitops-pusher-{NEWEST}")
PEBBLE = Program("github.com/letsencrypt/pebble/v2/cmd/pebble", "2.10.1", "pebble-2.10.1")
NEEDED = (*map(tailscaled, CLIENT_VERSIONS), DERPER, DERPPROBE, PEBBLE, GITOPS_PUSHER)
"""What the tests of this repository run: clients here, the relay and its probe in tests/derp, an ACME authority, a
client of API v2."""


class NotToBeHadError(RuntimeError):
    """Another project's program is not on this machine and cannot be built here."""


def headscale() -> Path:
    """The rival that `HEADSCALE` names, or the released one, built where the module proxy hands its source out.

    Raises:
        NotToBeHadError: neither is there.
    """
    if given := os.environ.get("HEADSCALE"):
        return Path(given)
    try:
        install([HEADSCALE])
    except subprocess.CalledProcessError as refused:
        raise NotToBeHadError(
            f"{HEADSCALE.package}@v{HEADSCALE.version} cannot be built here; HEADSCALE=/path/to/headscale names one"
        ) from refused
    return HEADSCALE.path


def storm() -> Path:
    """Our own registration storm."""
    return _own("storm")


def api_client() -> Path:
    """Any method of the hosted service's own Go client of API v2, from the command line."""
    return _own("apiv2")


def _own(name: str) -> Path:
    """A program of our own, built anew when its source has changed."""
    target, folder = cache() / name, OWN_SOURCES / name
    sources = [*folder.glob("*.go"), folder / "go.mod"]
    if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        _go("build", "-C", str(folder), "-ldflags", "-s -w", "-o", str(target), ".")
    return target


def install(programs: Iterable[Program] = NEEDED) -> None:
    """Build what is missing; processes that ask at the same time wait for each other."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for program in programs:
            program.install()


def _go(*arguments: str, **variables: str) -> None:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", **variables}
    subprocess.run(["go", *arguments], env=env, check=True, timeout=BUILD_DEADLINE)
