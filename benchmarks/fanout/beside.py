"""How soon updates are told while the server's relay is flooded: `python -m benchmarks.fanout.beside`.

The relay runs in the server's process and in one of its own. Needs Go; results go to `benchmarks/results/beside.json`.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.derp import load as relay_load
from benchmarks.fanout.load import build_load, measure
from benchmarks.fanout.servers import hatsize

RESULTS = Path(__file__).parent.parent / "results" / "beside.json"
NODES, ROUNDS, PAIRS = 300, 30, 4


def main() -> None:
    with TemporaryDirectory() as control, TemporaryDirectory() as relay:
        loads = build_load(Path(control)), relay_load.build_load(Path(relay))
        found = [_measure(*loads, own=own, flooded=flooded) for own in (False, True) for flooded in (False, True)]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"cpus": os.cpu_count(), "nodes": NODES, "results": found}, indent=1) + "\n")


def _measure(load: Path, flood: Path, *, own: bool, flooded: bool) -> dict[str, Any]:
    environment = {"HATSIZE_DERP_PROCESS": str(own).lower(), "HATSIZE_DERP_VERIFY_CLIENTS": "false"}
    with hatsize(environment) as server:
        host, _, port = server.url.rpartition(":")
        with _flooded(flood, f"{host}:{int(port) + own}" if flooded else ""):
            measured = measure(load, server, NODES, policy="open", minutes=5, more={"rounds": ROUNDS})
    kept = {name: measured.get(name) for name in ("update_ms_p50", "update_ms_p99", "arrive_ms_p50", "drops")}
    found = {"relay": "own process" if own else "same process", "flooded": flooded, **kept}
    print(json.dumps(found), flush=True)
    return found


@contextmanager
def _flooded(flood: Path, url: str) -> Iterator[None]:
    """Pairs of clients send through the relay as fast as it takes packets, all the while; none without a URL."""
    if not url:
        yield
        return
    command = [str(flood), "-url", url, "-pairs", str(PAIRS), "-pings", "0", "-for", "20m"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    main()
