"""Builds and runs the load generator, a small Go program beside this file."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "load"


def build_load(folder: Path) -> Path:
    """The generator's binary, built into a folder."""
    binary = folder / "load"
    subprocess.run(["go", "build", "-o", binary, "."], cwd=SOURCE, check=True)
    return binary


def measure(
    load: Path,
    url: str,
    flags: list[str],
    *,
    during: tuple[Callable[[], float], ...] = (),
    cpu: Callable[[], float] = lambda: 0.0,
    trust: Path | None = None,
) -> dict[str, Any]:
    """What the generator measures, and the seconds that `cpu` counts on while it does, without those of connecting.

    With `during`, what that says while its connections stay. `trust` is the certificate that a real client accepts.
    """
    command = [load, "-url", url, *flags]
    environment = os.environ | ({"SSL_CERT_FILE": str(trust)} if trust else {})
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        before = cpu()
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the load generator failed against {url}")
        result: dict[str, Any] = json.loads(line)
        result["cpu"] = cpu() - before
        for ask in during:
            result["during"] = ask()
        process.stdin.close()
    return result
