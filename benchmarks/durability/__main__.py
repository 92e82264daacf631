"""What was answered is kept, under kill -9 and worse. Figures as JSON; exits with 1 when anything was lost.

python -m benchmarks.durability             all that follows, in some ten minutes
python -m benchmarks.durability histories   random operations through several replicas on one PostgreSQL
python -m benchmarks.durability kills       registrations at a server that is killed, on SQLite and on PostgreSQL
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.durability import histories, kills

PARTS = ("histories", "kills")


def main() -> None:
    arguments = _arguments()
    lost = False
    for part in [arguments.part] if arguments.part else PARTS:
        for found in _histories(arguments) if part == "histories" else _kills(arguments):
            print(json.dumps(found.figures(), indent=1), flush=True)
            lost = lost or bool(found.findings)
    sys.exit(1 if lost else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.durability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("--count", type=int, default=10_000, help="answered operations, or registrations, to wait for")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=3600.0, help="seconds after which a part has run enough")
    parser.add_argument("--replicas", type=int, default=3, help="processes of a history")
    parser.add_argument("--crashes", action="store_true", help="kill PostgreSQL too in a history")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="the only one for kills")
    return parser.parse_args()


def _histories(given: argparse.Namespace) -> Iterator[histories.History]:
    with tempfile.TemporaryDirectory(prefix="hatsize-durability-") as folder:
        yield histories.run(
            Path(folder),
            operations=given.count,
            replicas=given.replicas,
            seed=given.seed,
            deadline=given.deadline,
            crashes=given.crashes,
        )


def _kills(given: argparse.Namespace) -> Iterator[kills.Kills]:
    for engine in [given.engine] if given.engine else ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="hatsize-durability-") as folder:
            run = kills.run(Path(folder), engine, registrations=given.count, seed=given.seed, deadline=given.deadline)
            yield asyncio.run(run)


if __name__ == "__main__":
    main()
