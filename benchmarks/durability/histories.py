"""Histories at random: several replicas on one PostgreSQL, processes killed, connections cut, and then the verdict."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from benchmarks.durability.journal import Operation, read_journals
from benchmarks.durability.verdict import Entry, Tables, verdict
from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.schema import CHANGE, TABLES
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import StorageError
from hatsize.testing.postgres import PostgresServer
from hatsize.testing.tailnet import ScratchTailnet

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL
"""
BETWEEN = (0.5, 3.0)
"""Seconds between two faults."""
STEP = 0.1
GRACE = 20.0


@dataclass
class History:
    """What was run, and what came of it."""

    operations: list[Operation]
    findings: list[str]
    seconds: float
    faults: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, Any]:
        outcomes = Counter(operation.outcome or "unanswered" for operation in self.operations)
        kinds = Counter(operation.kind for operation in self.operations if operation.outcome == "done")
        return {
            "operations": len(self.operations),
            **outcomes,
            "done_by_kind": dict(kinds),
            "faults": dict(self.faults),
            "seconds": round(self.seconds, 1),
            "findings": self.findings,
        }


class Cast:
    """The replicas, each of which may be killed and is started again."""

    def __init__(self, url: str, folder: Path, size: int) -> None:
        self.url, self.folder, self.starts = url, folder, 0
        self.playing = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        journal = self.folder / f"{self.starts}.journal"
        command = [sys.executable, "-m", "benchmarks.durability.replica", self.url, str(journal), f"r{self.starts}"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[2])

    def kill(self, place: int) -> None:
        self.playing[place].kill()
        _reap(self.playing[place])
        self.playing[place] = self._start()

    def must_be_alive(self) -> None:
        for process in self.playing:
            if process.poll() is not None:
                raise SystemExit(f"a replica ended by itself, with {process.returncode}: see above")

    def end(self) -> None:
        """Let them finish; whoever does not is killed."""
        for process in self.playing:
            process.stdin.close()
        for process in self.playing:
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def journals(self) -> list[Path]:
        return sorted(self.folder.glob("*.journal"))


def run(
    folder: Path, *, operations: int, replicas: int, seed: int, deadline: float = 3600.0, crashes: bool = False
) -> History:
    """Let replicas play until so many operations are answered; with `crashes` PostgreSQL itself is killed too."""
    with PostgresServer() as server:
        url = server.new_database()
        _first(url)
        begun, faults, chance = time.monotonic(), Counter[str](), random.Random(seed)
        cast = Cast(url, folder, replicas)
        inflict: dict[str, Callable[[], object]] = {
            "replica killed": lambda: cast.kill(chance.randrange(replicas)),
            "connections cut": lambda: _cut(url),
        }
        if crashes:
            inflict["PostgreSQL killed"] = lambda: (server.kill(), server.start())
        weights = (5, 5, 1)[: len(inflict)]
        next_fault = begun + 2.0
        try:
            while _answered(cast) < operations and time.monotonic() - begun < deadline:
                time.sleep(STEP)
                cast.must_be_alive()
                if time.monotonic() > next_fault:
                    (fault,) = chance.choices(list(inflict), weights)
                    inflict[fault]()
                    faults[fault] += 1
                    next_fault = time.monotonic() + chance.uniform(*BETWEEN)
        finally:
            cast.end()
        seconds = time.monotonic() - begun
        found = read_journals(cast.journals())
        return History(found, judged(url, found), seconds, faults)


def judged(url: str, operations: list[Operation]) -> list[str]:
    """What is wrong with the database's history, by the verdict and by `hatsize db check`."""
    database = database_of(url, Path())
    database.open()
    try:
        with database.reading() as connection:
            rows = connection.execute(select(CHANGE).order_by(CHANGE.c.seq)).all()
            log = [Entry(row.seq, row.actor, row.puts, row.deletes) for row in rows]
            tables = Tables(*(_rows(connection, name) for name in ("node", "credential", "policy")), seq=len(log))
        return [*verdict(operations, log, tables), *check(database)]
    finally:
        database.close()


def _rows(connection: Any, name: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: dict(row) for row in connection.execute(select(TABLES[name])).mappings()}


def _first(url: str) -> None:
    """Make the tailnet before anybody plays."""
    storage = SqlStorage(database_of(url, Path()))
    storage.open()
    ScratchTailnet(storage=storage)
    storage.close()


def _cut(url: str) -> None:
    """End every session of the database, as a restart of a proxy in between would."""
    database = database_of(url, Path())
    database.open()
    try:
        with database.writing() as connection:
            connection.execute(text(CUT))
    except StorageError:
        pass  # it cut itself off with the others
    finally:
        database.close()


def _answered(cast: Cast) -> int:
    return sum(path.read_bytes().count(b'"outcome"') for path in cast.journals())


def _reap(process: subprocess.Popen[bytes]) -> None:
    process.stdin.close()
    process.wait()
