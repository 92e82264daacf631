"""Prints the results of `benchmarks.fanout` as the table of `benchmarks/README.md`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.fanout.plots import FLOOR_US

COLUMNS = (
    "nodes", "policy", "server", "join, CPU s", "of the generator", "update p50, ms", "update CPU, ms", "us a frame",
    "times the floor", "arrival p50, ms", "arrival CPU, ms", "half reconnect, s",
    "peak MB", "idle, % of a core", "dropped",
)  # fmt: skip
SERVERS = ("hatsize", "headscale")


def lines(results: Iterable[dict[str, Any]]) -> list[str]:
    """The table's lines, by size, policy and server."""
    ordered = sorted(results, key=lambda one: (one["nodes"], one["policy"], SERVERS.index(one["server"])))
    rows = [COLUMNS, ("--:", "---", "---", *["--:"] * (len(COLUMNS) - 3)), *map(_row, ordered)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    frame = 1000 * one["update_cpu_ms"] / one["update_told"] if one.get("update_told") else None
    return (
        str(one["nodes"]), one["policy"], one["server"],
        _number(one.get("join_cpu_s"), 1), _number(one.get("join_load_cpu_s"), 1),
        _number(one.get("update_ms_p50")), _number(one.get("update_cpu_ms"), 1),
        _number(frame), _number(frame and frame / FLOOR_US, 1),
        _number(one.get("arrive_ms_p50")), _number(one.get("arrive_cpu_ms")),
        _number(one.get("churn_s"), 2), _number(one.get("peak_mb")), _number(one.get("idle_cpu_percent"), 1),
        _number(one.get("drops")),
    )  # fmt: skip


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    path = Path(__file__).parent.parent / "results" / "fanout.json"
    print("\n".join(lines(json.loads(path.read_text())["results"])))
