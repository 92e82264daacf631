"""Draws the results of `benchmarks.fanout` as PNG and SVG beside their JSON; needs matplotlib."""

import json
from pathlib import Path
from typing import Any

FLOOR_US = 20.0
"""Microseconds of processor time that one frame to one open stream costs at the least: seal, frame, send."""
LINES = {"open": "-", "realistic": "--", "full": ":"}
FIGURES = {
    "arrive_cpu_ms": "processor time of an arrival, ms",
    "update_cpu_ms": "processor time of an update, ms",
    "arrive_ms_p50": "arrival told to everybody, ms (median)",
    "update_ms_p50": "update told to everybody, ms (median)",
    "join_cpu_s": "processor time to join all, s",
    "peak_mb": "peak memory, MB",
}


def draw(results: Path) -> None:
    """One picture with a panel for each figure."""
    import matplotlib as mpl  # noqa: PLC0415 - nothing else needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    found = json.loads(results.read_text())["results"]
    figure, panels = plt.subplots(2, 3, figsize=(15, 8))
    for panel, (name, title) in zip(panels.flat, FIGURES.items(), strict=True):
        for server in ("hatsize", "headscale"):
            for policy, linestyle in LINES.items():
                line = _line(found, server, policy, name)
                if line:
                    style = {"marker": "o", "linestyle": linestyle}
                    panel.plot(*zip(*line, strict=True), label=f"{server}, {policy} policy", **style)
        if name == "update_cpu_ms":
            sizes = sorted({one["nodes"] for one in found})
            floor = [size * FLOOR_US / 1000 for size in sizes]
            panel.plot(sizes, floor, color="grey", linestyle=":", label="20 us a frame")
        panel.set(title=title, xlabel="nodes", xscale="log", yscale="log")
        panel.grid(visible=True, which="both", alpha=0.2)
    panels.flat[1].legend(fontsize="small")
    figure.tight_layout()
    for suffix in (".png", ".svg"):
        figure.savefig(results.with_suffix(suffix))


def _line(found: list[dict[str, Any]], server: str, policy: str, name: str) -> list[tuple[int, float]]:
    chosen = [one for one in found if one["server"] == server and one["policy"] == policy]
    return sorted((one["nodes"], one[name]) for one in chosen if one.get(name) is not None)


if __name__ == "__main__":
    draw(Path(__file__).parent.parent / "results" / "fanout.json")
