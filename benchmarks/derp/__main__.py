"""Our relay beside Tailscale's own, paired in one run: `python -m benchmarks.derp [--quick] [--output FILE]`.

Each measurement is taken from both relays in turn, several rounds of it, and the median counts. Needs Go for the load
generator in `load/`, and derper under $HATSIZE_BIN_DIR or ~/.cache/hatsize/bin; without derper only ours is measured.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.derp.load import build_load, measure
from benchmarks.derp.relays import Relay, certificate, derper, ours

PAIRS, SIZES = (1, 8, 100), (100, 1200, 8000)


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        load = build_load(Path(folder))
        pair = certificate(Path(folder))
        results = [
            result
            for tls in (False, True)
            for result in _compare(arguments, load, tls=pair if tls else None, folder=Path(folder))
        ]
    _print(results)
    if arguments.output:
        arguments.output.write_text(json.dumps({"cpus": os.cpu_count(), "results": results}, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of sending in each round")
    parser.add_argument("--idle", type=int, default=10_000, help="idle clients whose memory is measured, 0 for none")
    parser.add_argument("--quick", action="store_true", help="one round, 1200 bytes only, 1000 idle clients")
    parser.add_argument("--output", type=Path, help="a file for the results as JSON")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.idle = 1, min(arguments.idle, 1000)
    return arguments


def _compare(arguments: argparse.Namespace, load: Path, *, tls: Path | None, folder: Path) -> list[dict[str, object]]:
    relays = [ours(tls)] + ([rival] if (rival := derper(folder, tls)) else [])
    results = []
    try:
        for name, flags in _measurements(arguments):
            rounds = [[_measure(load, relay, flags, tls) for relay in relays] for _ in range(arguments.rounds)]
            medians = {relay.name: _medians([each[place] for each in rounds]) for place, relay in enumerate(relays)}
            results.append({"measured": name, "tls": tls is not None, **medians})
    finally:
        for relay in relays:
            relay.stop()
    if arguments.idle:
        results.append(_idle(arguments.idle, load, tls, folder))
    return results


def _measure(load: Path, relay: Relay, flags: list[str], certificate: Path | None) -> dict[str, float]:
    result = measure(load, relay.url, flags, cpu=relay.cpu, trust=certificate)
    spent, packets = result.pop("cpu"), result.pop("packets", 0)
    if packets:
        result["cpu_us_per_packet"] = spent * 1e6 / packets
    return result


def _measurements(arguments: argparse.Namespace) -> list[tuple[str, list[str]]]:
    length = ["-for", f"{arguments.seconds}s"]
    sizes = (1200,) if arguments.quick else SIZES
    found = [("round trip", ["-pairs", "0", "-pings", "2000"])]
    for pairs in PAIRS:
        for size in sizes:
            flags = ["-pairs", str(pairs), "-size", str(size), "-pings", "0", *length]
            found.append((f"{pairs} pairs x {size} B, flood", flags))
            found.append((f"{pairs} pairs x {size} B, window 16", [*flags, "-window", "16"]))
    found.append(("a quiet pair beside a flood", ["-pairs", "1", "-pings", "300", "-beside", *length]))
    return [each for name, flags in found for each in ((name, flags), (f"{name}, real clients", ["-real", *flags]))]


def _idle(count: int, load: Path, tls: Path | None, folder: Path) -> dict[str, object]:
    """Memory of each of many idle connections, each relay fresh and alone."""
    found: dict[str, object] = {"measured": f"{count} idle clients", "tls": tls is not None}
    for start in (lambda: ours(tls), lambda: derper(folder, tls)):
        relay = start()
        if relay is not None:
            found[relay.name] = _memory(relay, load, count)
    return found


def _memory(relay: Relay, load: Path, count: int) -> dict[str, float]:
    try:
        before = relay.memory()
        result = measure(load, relay.url, ["-idle", str(count)], during=(relay.memory,))
        return {
            "bytes_per_client": (result["during"] - before) / count,
            "connects_per_s": result["connects_per_s"],
        }
    finally:
        relay.stop()


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _print(results: list[dict[str, object]]) -> None:
    for result in results:
        how = "TLS  " if result["tls"] else "plain"
        for name in ("hatsize", "derper"):
            values = result.get(name)
            if isinstance(values, dict):
                said = "  ".join(
                    f"{key} {value:,.3f}" if value < 100 else f"{key} {value:,.0f}" for key, value in values.items()
                )
                print(f"{how} {result['measured']:44} {name:8} {said}")


if __name__ == "__main__":
    main()
