"""Joins, updates, arrivals and reconnects at several sizes, ours beside Headscale: `python -m benchmarks.fanout`.

Needs Go for the load generator. With HEADSCALE=/path/to/headscale every size that Headscale can be asked for is run on
both servers in turn. Results go to `benchmarks/results/fanout.json`, each in place of the former of its kind;
`python -m benchmarks.fanout.plots` draws them, `python -m benchmarks.fanout.table` prints them.
"""

import argparse
import json
import os
import resource
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fanout.load import build_load, measure
from benchmarks.fanout.plots import draw
from benchmarks.fanout.policy import POLICIES
from benchmarks.fanout.servers import Server, hatsize, headscale

RESULTS = Path(__file__).parent.parent / "results"
SIZES = (100, 200, 300, 1000, 2000, 3000)
RIVAL = {"open": (300, 20), "realistic": (200, 5), "full": (0, 0)}
"""By policy, the nodes up to which Headscale is asked and in how many rounds; beyond it does not converge in time, and
rules with `via` and `autogroup:self` it has not."""


def main() -> None:
    arguments = _arguments()
    _allow_files(max(arguments.sizes) * 2 + 1000)
    with TemporaryDirectory() as folder:
        load = build_load(Path(folder))
        for nodes in arguments.sizes:
            for policy in arguments.policies:
                for server, rounds in _servers(nodes, policy, arguments.rounds):
                    with server as running:
                        more = {"rounds": rounds, "churn": nodes // 2, "idle": f"{arguments.idle}s"}
                        found = measure(load, running, nodes, policy=policy, minutes=arguments.minutes, more=more)
                    print(json.dumps(found), flush=True)
                    _keep(arguments.output, found)
    draw(arguments.output)


def _allow_files(wanted: int) -> None:
    """The server and the generator each have a file open for each node; as many as this machine allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most) if most > 0 else wanted, most))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="nodes of the tailnets")
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=POLICIES, help="who may see whom")
    parser.add_argument("--rounds", type=int, default=20, help="updates, and arrivals, of each run")
    parser.add_argument("--idle", type=int, default=20, help="seconds for which nothing happens")
    parser.add_argument("--minutes", type=int, default=15, help="bound on each run")
    parser.add_argument("--output", type=Path, default=RESULTS / "fanout.json", help="a file for the results as JSON")
    return parser.parse_args()


def _servers(nodes: int, policy: str, rounds: int) -> Iterator[tuple[AbstractContextManager[Server], int]]:
    """The servers to be asked, and in how many rounds."""
    yield hatsize(), rounds
    rival, (most, rounds_at_most) = os.environ.get("HEADSCALE"), RIVAL[policy]
    if rival and nodes <= most:
        yield headscale(Path(rival)), min(rounds, rounds_at_most)


def _keep(path: Path, found: dict[str, Any]) -> None:
    """Write a result; it replaces an earlier one of the same server, policy and size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    former = json.loads(path.read_text())["results"] if path.exists() else []
    kept = {(one["server"], one["policy"], one["nodes"]): one for one in [*former, found] if "nodes" in one}
    ordered = [kept[key] for key in sorted(kept)]
    path.write_text(json.dumps({"cpus": os.cpu_count(), "results": ordered}, indent=1) + "\n")


if __name__ == "__main__":
    main()
