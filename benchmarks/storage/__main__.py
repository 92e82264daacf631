"""What the storage costs: `python -m benchmarks.storage [--url URL] [--nodes N] [--commits N]` prints JSON.

Without a URL it measures SQLite in a fresh directory under `--dir`, and a PostgreSQL of its own with fsync on where its
programs are installed. The unit is in each figure's name.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.storage.measures import measure
from hatsize.testing.postgres import NoPostgresError, PostgresServer


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storage")
    parser.add_argument("--url", help="an empty database to measure instead")
    parser.add_argument("--dir", help="where to put the SQLite file; the disk is what is measured")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=1_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as directory:
        for url in [arguments.url] if arguments.url else ["", "postgresql"]:
            for result in results(url, Path(directory), arguments):
                print(json.dumps(result))


def results(url, directory, arguments):
    if url != "postgresql":
        yield measure(url, directory, arguments.nodes, arguments.commits)
        return
    try:
        with PostgresServer(durable=True) as server:
            yield measure(server.new_database(), directory, arguments.nodes, arguments.commits)
    except NoPostgresError as error:
        yield {"engine": "postgresql", "skipped": str(error)}


main()
