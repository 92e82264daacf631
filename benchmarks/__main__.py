"""All measurements: `python -m benchmarks [--quick]`. Each part also runs alone, as `python -m benchmarks.fanout`."""

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

QUICK = {
    "derp": ["--quick"],
    "durability": ["--count", "500"],
    "fanout": ["--sizes", "100", "300", "--rounds", "10", "--idle", "5"],
}
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, in some minutes")
    parser.add_argument("--only", nargs="+", metavar="PART", help="these parts: fanout, derp, …")
    arguments = parser.parse_args()
    _install("matplotlib")
    (HERE / "results").mkdir(exist_ok=True)
    parts = [path.parent.name for path in sorted(HERE.glob("*/__main__.py"))]
    failed = [
        part for part in arguments.only or parts if not _run(part, QUICK.get(part, []) if arguments.quick else [])
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _install(package: str) -> None:
    """Install what only the plots need."""
    if importlib.util.find_spec(package) is None:
        subprocess.run([str(Path(sys.executable).with_name("uv")), "pip", "install", "-q", package], check=True)


def _run(part: str, options: Sequence[str]) -> bool:
    print(f"== {part}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{part}", *options]
    return subprocess.run(command, cwd=HERE.parent, env=os.environ, check=False).returncode == 0


if __name__ == "__main__":
    main()
