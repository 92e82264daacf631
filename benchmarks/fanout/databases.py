"""What PostgreSQL costs our process beside SQLite, in the same fan-out: `python -m benchmarks.fanout.databases`.

The two take turns. Needs Go and PostgreSQL; results go to `benchmarks/results/databases.json`.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fanout.load import build_load, measure
from benchmarks.fanout.servers import hatsize, hatsize_postgresql

RESULTS = Path(__file__).parent.parent / "results" / "databases.json"
COSTS = ("join_cpu_s", "update_cpu_ms", "arrive_cpu_ms", "churn_cpu_s", "idle_cpu_percent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=300)
    parser.add_argument("--policy", default="open")
    parser.add_argument("--rounds", type=int, default=30, help="updates, and arrivals, of each run")
    parser.add_argument("--turns", type=int, default=3, help="runs on each database")
    given = parser.parse_args()
    runs: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        load = build_load(Path(folder))
        for server in (hatsize, hatsize_postgresql) * given.turns:
            with server() as running:
                more = {"rounds": given.rounds, "churn": given.nodes // 2, "idle": "10s"}
                runs.append(measure(load, running, given.nodes, policy=given.policy, minutes=10, more=more))
            print(json.dumps(runs[-1]), flush=True)
    found = {"cpus": os.cpu_count(), "nodes": given.nodes, "policy": given.policy, "medians": _medians(runs)}
    print(json.dumps(found, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def _medians(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By cost: each database's median, and how many times SQLite's PostgreSQL's is."""
    medians = {}
    for cost in COSTS:
        sqlite, postgresql = (
            median(run[cost] for run in runs if run["server"] == name) for name in ("hatsize", "hatsize-postgresql")
        )
        ratio = round(postgresql / sqlite, 2) if sqlite else 0.0
        medians[cost] = {"sqlite": round(sqlite, 3), "postgresql": round(postgresql, 3), "ratio": ratio}
    return medians


if __name__ == "__main__":
    main()
