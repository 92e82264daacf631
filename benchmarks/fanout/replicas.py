"""A tailnet spread over replicas behind a balancer: `python -m benchmarks.fanout.replicas`.

Three replicas on one PostgreSQL that writes through to the disk, behind HAProxy as docs/operations/replicas.md sets it
up. Needs Go, PostgreSQL and HAProxy; results go to `benchmarks/results/replicas.json`.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fanout.load import build_load, measure
from benchmarks.fanout.servers import Server, free_port, hatsize, wait_until_served
from hatsize.testing.postgres import PostgresServer

RESULTS = Path(__file__).parent.parent / "results" / "replicas.json"
GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "replicas.md"
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10, help="updates, and arrivals")
    parser.add_argument("--minutes", type=int, default=15, help="bound on everything together")
    given = parser.parse_args()
    with TemporaryDirectory() as folder, _cluster(given.replicas) as (balanced, replicas):
        load = build_load(Path(folder))
        more: dict[str, object] = {"rounds": given.rounds, "idle": "20s"}
        found = measure(load, balanced, given.nodes, policy="open", minutes=given.minutes, more=more)
        found |= {"cpu_s": [_spent(each.pid) for each in replicas]}
        found |= {"peak_mb": [_peak(each.pid) for each in replicas], "cpus": os.cpu_count()}
    print(json.dumps(found, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[f"{given.replicas} replicas, {given.nodes} nodes"] = found
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


@contextmanager
def _cluster(count: int) -> Iterator[tuple[Server, tuple[Server, ...]]]:
    """Replicas that run: what clients see of them, with the first one's process, and each one."""
    with ExitStack() as stack:
        database = stack.enter_context(PostgresServer(durable=True))
        folder, port = Path(stack.enter_context(TemporaryDirectory())), free_port()
        (folder / "cluster.key").write_text("5a" * 32)
        shared = {
            "HATSIZE_SERVER_URL": f"http://127.0.0.1:{port}",
            "HATSIZE_DATABASE_URL": database.new_database(),
            "HATSIZE_PLUGINS_ENABLED": "cluster",
            "HATSIZE_PLUGINS_CLUSTER_KEY_FILE": str(folder / "cluster.key"),
        }
        servers = tuple(_replica(stack, shared, str(number)) for number in range(count))
        stack.enter_context(_balancer(folder, port, servers))
        yield replace(servers[0], name="replicas", url=shared["HATSIZE_SERVER_URL"]), servers


def _replica(stack: ExitStack, shared: Mapping[str, str], name: str) -> Server:
    return stack.enter_context(hatsize({**shared, "HATSIZE_PLUGINS_CLUSTER_NAME": name}))


@contextmanager
def _balancer(folder: Path, port: int, servers: tuple[Server, ...]) -> Iterator[None]:
    """HAProxy by the guide, with these replicas for its two."""
    guide = GUIDE.read_text().split("```haproxy\n")[1].split("```")[0]
    kept = [line for line in guide.splitlines() if not line.lstrip().startswith("server ")]
    places = [each.url.removeprefix("http://") for each in servers]
    lines = [f"    server {number} {place} check" for number, place in enumerate(places)]
    file = folder / "haproxy.cfg"
    file.write_text("\n".join([*kept, *lines, ""]).replace("bind :443", f"bind 127.0.0.1:{port}"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        wait_until_served(process, port, folder / "log")
        yield
    finally:
        process.terminate()
        process.wait()


def _spent(pid: int) -> float:
    """Processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / TICKS, 2)


def _peak(pid: int) -> float:
    """The most memory a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


if __name__ == "__main__":
    main()
