"""What was answered is kept, under kill -9 and worse: `python -m benchmarks.durability {histories,kills} [--help]`.

Prints figures as JSON, and exits with 1 when anything was lost, given twice, or out of order.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.durability import histories


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000, help="answered operations to wait for")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=3600.0, help="seconds after which it is enough")
    parser.add_argument("--crashes", action="store_true", help="kill PostgreSQL itself now and then")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hatsize-histories-") as folder:
        found = histories.run(Path(folder), **vars(arguments))
    print(json.dumps(found.figures(), indent=1))
    sys.exit(1 if found.findings else 0)


if __name__ == "__main__":
    main()
