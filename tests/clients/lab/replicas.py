"""Two replicas behind HAProxy, on one PostgreSQL, as the guide sets them up.

client --- hub: haproxy :8080 --+-- replica-a :8080 --+-- PostgreSQL
                                +-- replica-b :8080 --+
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hatsize.testing.postgres import PostgresServer
from tests.clients.lab import requirements
from tests.clients.lab.commands import run
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.network import Network
from tests.clients.lab.server import PORT, ControlServer, hatsize, page
from tests.clients.lab.waiting import eventually

GUIDE = Path(__file__).parents[3] / "docs" / "operations" / "replicas.md"
LEASE = 10.0


def absent(reason: str) -> None:
    """What the replicas need is missing: skipped, or a failure where everything must run."""
    (pytest.fail if requirements.required() else pytest.skip)(reason)


def need_haproxy() -> None:
    if not shutil.which("haproxy"):
        absent("the command haproxy (Debian package haproxy)")


class Replica:
    """One of the servers, on a machine of its own."""

    def __init__(self, network: Network, name: str, settings: Mapping[str, str]) -> None:
        self.name = name
        self.machine = network.machine(f"replica-{name}")
        self.address = self.machine.address
        self.log = self.machine.directory / "server.log"
        self.data = self.machine.directory / "data"
        own = {"HATSIZE_DATA_DIR": str(self.data), "HATSIZE_PLUGINS_CLUSTER_NAME": name}
        self.environment = {**settings, **own, "HATSIZE_LISTEN": f"{self.address}:{PORT}"}

    def start(self) -> None:
        self.daemon = Daemon(self.machine, hatsize(), "serve", log=self.log, env=self.environment)
        eventually(self.is_ready, f"replica {self.name} is ready", within=60, evidence=lambda: tail(self.log))

    def is_ready(self) -> bool:
        assert self.daemon.is_running(), f"replica {self.name} has ended"
        return bool(self.machine.call(page, f"http://{self.address}:{PORT}/cluster/ready")[0] == 200)


class Balanced(ControlServer):
    """HAProxy as the guide sets it up, and two replicas behind it."""

    def __init__(self, network: Network) -> None:
        self.network, self.hub = network, network.hub
        self.database_url = self.database()
        super().__init__(network.hub)

    def database(self) -> str:
        """Start what the replicas keep their state in; its URL."""
        self.postgres = PostgresServer()
        self.hub.at_close.append(self.postgres.close)
        self.postgres.__enter__()
        return self.postgres.url()

    def prepare(self) -> None:
        key = self.hub.directory / "cluster.key"
        key.write_text("5a" * 32)
        settings = {
            "HATSIZE_SERVER_URL": self.url,
            "HATSIZE_DATABASE_URL": self.database_url,
            "HATSIZE_PLUGINS_ENABLED": "cluster",
            "HATSIZE_PLUGINS_CLUSTER_KEY_FILE": str(key),
            "HATSIZE_PLUGINS_CLUSTER_LEASE": str(LEASE),
        }
        self.replicas = {name: Replica(self.network, name, settings) for name in "ab"}
        for replica in self.replicas.values():
            replica.start()
        guide = GUIDE.read_text().split("```haproxy\n")[1].split("```")[0]
        for told, ours in (
            ("10.0.0.11", self.replicas["a"].address),
            ("10.0.0.12", self.replicas["b"].address),
            ("bind :443", f"bind {self.hub.address}:{PORT}"),
        ):
            assert told in guide
            guide = guide.replace(told, ours)
        self.balancer = self.hub.directory / "haproxy.cfg"
        self.balancer.write_text(guide)

    def serve_argv(self) -> list[str]:
        return ["haproxy", "-db", "-f", str(self.balancer)]

    def cli_argv(self) -> list[str]:
        return [hatsize()]

    def environment(self) -> Mapping[str, str]:
        """Of a replica that runs."""
        return next(each.environment for each in self.replicas.values() if each.daemon.is_running())

    def evidence(self) -> str:
        return "\n".join([super().evidence(), *(tail(each.log) for each in self.replicas.values())])

    def status(self) -> dict[str, dict[str, Any]]:
        """What `hatsize cluster status` tells, by name."""
        told = run([hatsize(), "cluster", "status", "-o", "json"], env=self.environment())
        return {each["name"]: each for each in json.loads(told)["replicas"] if each["state"] != "lost"}

    def streams(self) -> dict[str, int]:
        return {name: each["sessions"] for name, each in self.status().items()}
