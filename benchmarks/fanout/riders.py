"""Real clients among a thousand simulated nodes: `python -m benchmarks.fanout.riders`.

Two unmodified tailscaled in the lab of network namespaces ping each other five times a second while the others join,
move, come and go; when all are there a third real one joins. Needs Go, and what the real-client tests need. Results go
to `benchmarks/results/riders.json`.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fanout.load import build_load
from tests.clients.lab import binaries
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize
from tests.clients.lab.steady_ping import SteadyPing
from tests.clients.lab.waiting import eventually

RESULTS = Path(__file__).parent.parent / "results" / "riders.json"
IDLE = 60
"""Seconds for which the simulated nodes do nothing, once all are there: the third real one joins meanwhile."""
JOINED_WITHIN = 300.0
ENDED_WITHIN = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000, help="simulated nodes")
    nodes = parser.parse_args().nodes
    binaries.install()
    with TemporaryDirectory() as folder, laboratory(Hatsize) as lab:
        found = _ride(lab, build_load(Path(folder)), Path(folder), nodes)
    print(json.dumps(found), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"cpus": os.cpu_count(), **found}, indent=1) + "\n")


def _ride(lab: Lab, load: Path, folder: Path, nodes: int) -> dict[str, Any]:
    one, two, three = (lab.client(name) for name in ("one", "two", "three"))
    lab.join(one, two)
    one.wait_direct("two")
    began, ping = time.monotonic(), SteadyPing(one.machine, two.addresses()[0])
    with _crowd(lab, load, folder, nodes) as crowd:
        one.eventually(lambda: _peers(one) > nodes, f"one knows {nodes} nodes and two", within=JOINED_WITHIN)
        joined = time.monotonic()
        lab.join(three)
        up = time.monotonic()
        eventually(lambda: one.pings("three"), "one pings three", within=JOINED_WITHIN, evidence=lab.evidence)
        reached = time.monotonic()
        output, _ = crowd.communicate(timeout=ENDED_WITHIN)
    seconds = time.monotonic() - began
    return {
        "clients": binaries.NEWEST,
        "pinged_s": seconds,
        "pings_lost": ping.lost(),
        "newcomer_up_s": up - joined,
        "newcomer_answers_after_s": reached - up,
        "simulated": json.loads(output),
    }


def _crowd(lab: Lab, load: Path, folder: Path, nodes: int) -> subprocess.Popen[bytes]:
    """The load generator, on the hub beside the server."""
    keys = folder / "keys"
    keys.write_text(lab.server.auth_key() + "\n")
    flags = {
        "url": lab.server.url, "pid": lab.server.daemon.pid, "keys": keys, "nodes": nodes, "churn": nodes // 2,
        "idle": f"{IDLE}s", "timeout": f"{ENDED_WITHIN:.0f}s",
    }  # fmt: skip
    command = lab.server.hub.argv(str(load), *(f"-{name}={value}" for name, value in flags.items()))
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _peers(client: Client) -> int:
    return len(client.status().get("Peer") or {})


if __name__ == "__main__":
    main()
