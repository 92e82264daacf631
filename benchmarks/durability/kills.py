"""kill -9 in the middle of registrations: who was told yes is there afterwards, with the addresses it was told.

Machines join a real server over the whole protocol. It is killed again and again, and its PostgreSQL with it.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Node
from hatsize.testing.client import FakeClient, RefusedError
from hatsize.testing.postgres import PostgresServer
from hatsize.testing.server import free_port
from hatsize.wire.noise import NoiseError
from hatsize.wire.tailcfg import WireError

HATSIZE = str(Path(sys.executable).with_name("hatsize"))
AT_ONCE = 16
"""Machines that are joining at any time."""
BETWEEN = (1, 600)
"""How many more are told yes from the start of the server to its end."""
TOO_LONG = 30.0
"""Seconds after which it ends anyway."""
STEP = 0.01
PATIENCE = 10.0
NOBODY_SEES_ANYBODY = '{"acls": []}'
LOST = (OSError, EOFError, TimeoutError, NoiseError, RefusedError, StopAsyncIteration, WireError, msgspec.MsgspecError)
"""What becomes of a request whose server is killed."""


@dataclass
class Kills:
    """What was run, and what came of it."""

    engine: str
    told: dict[str, list[str]] = field(default_factory=dict)
    """The addresses each node was told, by its node key; empty where the server was killed before it told them."""
    stored: int = 0
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "told_yes": len(self.told),
            "told_addresses": sum(map(bool, self.told.values())),
            "stored": self.stored,
            "kills": dict(self.kills),
            "seconds": round(self.seconds, 1),
            "findings": self.findings,
        }


class Server:
    """A server process on a data directory, killed and started again on the same port."""

    def __init__(self, data_dir: Path, url: str) -> None:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HATSIZE_")}
        given = {"DATA_DIR": str(data_dir), "DATABASE_URL": url, "STUN_ENABLED": "false", "LOG_LEVEL": "error"}
        self.environment = plain | {f"HATSIZE_{name}": value for name, value in given.items()}
        self.port = free_port()
        self.log = data_dir.with_name("log")
        self.process: subprocess.Popen[bytes] | None = None
        self.serves = asyncio.Event()

    async def start(self) -> None:
        command = [HATSIZE, "serve", "--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)  # noqa: ASYNC220
        while b"Hatsize serves" not in self.log.read_bytes()[before:]:
            if self.process.poll() is not None:
                raise SystemExit(f"the server did not start:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.05)
        self.serves.set()

    def kill(self) -> None:
        if self.process is not None:
            self.serves.clear()
            self.process.kill()
            self.process.wait()

    def ask(self, *words: str, given: str | None = None) -> Any:
        """What its command line answers."""
        command = [HATSIZE, *words, "-o", "json"]
        done = subprocess.run(command, env=self.environment, input=given, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


async def run(folder: Path, engine: str, *, registrations: int, seed: int, deadline: float = 3600.0) -> Kills:
    """Kill the server at random until so many machines were told yes; `engine` is `sqlite` or `postgresql`."""
    found, chance = Kills(engine), random.Random(seed)
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(durable=True)) if engine == "postgresql" else None
        url = postgres.new_database() if postgres else ""
        (folder / "data").mkdir()
        server = Server(folder / "data", url)
        stack.callback(server.kill)
        await server.start()
        key = await asyncio.to_thread(_prepare, server)
        begun = time.monotonic()
        machines = [asyncio.create_task(_join_on(server, key, found)) for _ in range(AT_ONCE)]
        while True:
            await _told(found, min(registrations, len(found.told) + chance.randint(*BETWEEN)))
            _kill(server, postgres, chance, found)
            enough = len(found.told) >= registrations or time.monotonic() - begun > deadline
            found.findings += await asyncio.to_thread(_judged, url, folder / "data", found)
            if enough or found.findings or any(machine.done() for machine in machines):
                break
            await server.start()
        found.seconds = time.monotonic() - begun
        for machine in machines:
            machine.cancel()
        for ended in await asyncio.gather(*machines, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise ended
    return found


async def _told(found: Kills, count: int) -> None:
    """Until so many were told yes, or it takes too long."""
    for _ in range(int(TOO_LONG / STEP)):
        if len(found.told) >= count:
            return
        await asyncio.sleep(STEP)


def _prepare(server: Server) -> str:
    """Put a policy in force under which a netmap is small, and make a key for everybody."""
    policy = server.log.with_name("policy.json")
    policy.write_text(NOBODY_SEES_ANYBODY)
    server.ask("policy", "set", "-f", str(policy))
    return str(server.ask("preauthkeys", "create", "--user", "1", "--reusable")["key"])


def _kill(server: Server, postgres: PostgresServer | None, chance: random.Random, found: Kills) -> None:
    """End the server, or PostgreSQL first and the server a moment later."""
    if postgres is not None and chance.random() < 1 / 3:
        postgres.kill()
        found.kills["PostgreSQL and server"] += 1
        server.kill()
        postgres.start()
    else:
        server.kill()
        found.kills["server"] += 1


async def _join_on(server: Server, key: str, found: Kills) -> None:
    """Join one machine after the other."""
    count = 0
    while True:
        await server.serves.wait()
        count += 1
        with contextlib.suppress(*LOST):
            async with asyncio.timeout(PATIENCE):
                await _join(server.port, f"node{count}", key, found)


async def _join(port: int, name: str, key: str, found: Kills) -> None:
    async with await FakeClient.connect("127.0.0.1", port, hostname=name) as client:
        answer = await client.register(key)
        if answer.Error or answer.AuthURL:
            return  # the storage was away; told no
        found.told[client.node_key] = []
        stream = await client.poll()
        netmap = await stream.until(lambda netmap: netmap.own)
        found.told[client.node_key] = [address.partition("/")[0] for address in netmap.own["Addresses"]]


def _judged(url: str, data_dir: Path, found: Kills) -> list[str]:
    """What is wrong with the database that a killed server left behind."""
    storage = SqlStorage(database_of(url, data_dir))
    _patiently(storage.open)
    records = storage.load(1).records
    findings = check(storage.database)
    storage.close()
    stored = {node.node_key: node for node in records if isinstance(node, Node)}
    found.stored = len(stored)
    for node_key, addresses in list(found.told.items()):
        node = stored.get(node_key)
        if node is None:
            findings.append(f"{node_key} was told yes, and is not there")
        elif addresses and list(node.addresses) != addresses:
            findings.append(f"{node_key} was told {addresses}, and has {node.addresses}")
    return findings


def _patiently(work: Callable[[], None]) -> None:
    """A PostgreSQL that was killed recovers before it takes connections."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            work()
        except StorageError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
