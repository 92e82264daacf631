"""The servers under test: ours and, where its binary is given, Headscale; each on ports and data of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from benchmarks.fanout.policy import POLICIES, TAGS, USERS
from hatsize.testing.postgres import PostgresServer

STARTS_WITHIN = 30.0
"""Seconds a server has to answer after its start."""
CONFIGURATION = """
server_url: {url}
listen_addr: 127.0.0.1:{port}
metrics_listen_addr: 127.0.0.1:{metrics}
grpc_listen_addr: 127.0.0.1:{grpc}
noise: {{private_key_path: {data}/noise.key}}
prefixes: {{v4: 100.64.0.0/10, v6: "fd7a:115c:a1e0::/48"}}
database: {{type: sqlite, sqlite: {{path: {data}/db.sqlite}}}}
unix_socket: {data}/headscale.sock
policy: {{mode: database}}
dns: {{magic_dns: true, base_domain: tailnet.example, override_local_dns: false}}
derp: {{urls: [], paths: [{data}/derp.yaml], server: {{enabled: false}}}}
log: {{level: error}}
disable_check_updates: true
"""
RELAYS = """
regions:
  999: {{regionid: 999, regioncode: bench, regionname: Bench, nodes: [
    {{name: bench, regionid: 999, hostname: 127.0.0.1, derpport: {port}}}]}}
"""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    name: str
    url: str
    pid: int
    command: Sequence[str]
    """Its command line client; both speak the same verbs."""

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{self.name}: {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _id(self, *arguments: str) -> str:
        return str(json.loads(self.run(*arguments, "-o", "json"))["id"])

    def _key(self, user: str, *arguments: str) -> str:
        made = self.run("preauthkeys", "create", "--user", user, "--reusable", *arguments, "-o", "json")
        return str(json.loads(made)["key"])

    def prepare(self, folder: Path, policy: str) -> Path:
        """Make users, the policy of a name and auth keys; the file of the keys."""
        if POLICIES[policy] is not None:
            document = folder / "policy.json"
            users = [self._id("users", "create", name) for name in USERS]
            document.write_text(json.dumps(POLICIES[policy]))
            self.run("policy", "set", "-f", str(document))
            keys = [self._key(user) for user in users] + [self._key(users[0], "--tags", tag) for tag in TAGS]
        else:
            keys = [self._key(self._id("users", "create", "bench"))]
        path = folder / "keys"
        path.write_text("\n".join(keys) + "\n")
        return path


@contextmanager
def hatsize(environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    """Ours, with the settings a new installation has but for those in `environment`."""
    with TemporaryDirectory() as folder:
        port = free_port()
        program = [str(Path(sys.executable).with_name("hatsize")), "--data-dir", folder]
        serve = [*program, "serve", "--listen", f"127.0.0.1:{port}"]
        with _running(serve, port, folder, {"HATSIZE_STUN_ENABLED": "false", **environment}) as process:
            yield Server("hatsize", f"http://127.0.0.1:{port}", process.pid, program)


@contextmanager
def hatsize_postgresql() -> Iterator[Server]:
    """Ours on a PostgreSQL of its own that writes through to the disk; the processor time is that of our process."""
    with (
        PostgresServer(durable=True) as database,
        hatsize({"HATSIZE_DATABASE_URL": database.new_database()}) as running,
    ):
        yield replace(running, name="hatsize-postgresql")


@contextmanager
def headscale(binary: Path) -> Iterator[Server]:
    """The rival, with a relay map of one region that nobody asks."""
    with TemporaryDirectory() as folder:
        port, url = free_port(), ""
        url = f"http://127.0.0.1:{port}"
        configuration = Path(folder) / "config.yaml"
        configuration.write_text(
            CONFIGURATION.format(url=url, port=port, metrics=free_port(), grpc=free_port(), data=folder)
        )
        (Path(folder) / "derp.yaml").write_text(RELAYS.format(port=port))
        program = [str(binary), "-c", str(configuration)]
        with _running([*program, "serve"], port, folder, {}) as process:
            yield Server("headscale", url, process.pid, program)


@contextmanager
def _running(
    command: Sequence[str], port: int, folder: str, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
        try:
            wait_until_served(process, port, Path(log.name))
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_served(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when a server answers on a port; the end, with its log, when it does not."""
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{' '.join(map(str, process.args))} did not start:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
