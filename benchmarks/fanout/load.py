"""Builds the load generator, a small Go program beside this file, and runs it against a server."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fanout.servers import Server

SOURCE = Path(__file__).parent / "load"


def build_load(folder: Path) -> Path:
    """The generator's binary, built into a folder."""
    binary = folder / "load"
    subprocess.run(["go", "build", "-o", binary, "."], cwd=SOURCE, check=True)
    return binary


def measure(
    load: Path, server: Server, nodes: int, *, policy: str, minutes: int, more: dict[str, object]
) -> dict[str, Any]:
    """One run against a fresh server; `more` are further flags of the generator."""
    with TemporaryDirectory() as folder:
        keys = server.prepare(Path(folder), policy)
        flags = {"url": server.url, "pid": server.pid, "keys": keys, "nodes": nodes, "timeout": f"{minutes}m", **more}
        command = [str(load), *(f"-{name}={value}" for name, value in flags.items())]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    found = json.loads(done.stdout or b"{}") or {"failed": "the load generator ended without a result"}
    return {"server": server.name, "policy": policy, **found}
