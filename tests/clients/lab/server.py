"""The control server under test, on the hub: a process, a log and its command line."""

import json
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clients.lab.commands import run
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

PORT = 8080
START_DEADLINE = 60.0
STOP_DEADLINE = 20.0


class ControlServer(ABC):
    """What a scenario needs of a control server that speaks Headscale's command line."""

    scheme = "http"

    def __init__(self, hub: Namespace) -> None:
        self.hub = hub
        self.url = f"{self.scheme}://{hub.address}:{PORT}"
        self.data = hub.directory / "data"
        self.data.mkdir()
        self.log = hub.directory / "server.log"
        self.prepare()
        self.start()

    @abstractmethod
    def prepare(self) -> None:
        """What has to be there before the first start."""

    @abstractmethod
    def serve_argv(self) -> list[str]: ...

    @abstractmethod
    def cli_argv(self) -> list[str]: ...

    def environment(self) -> Mapping[str, str]:
        """Variables of the server and of its command line."""
        return {}

    def client_environment(self) -> Mapping[str, str]:
        """Variables a client needs to trust this server."""
        return {}

    # --- the process

    def start(self) -> None:
        self.daemon = Daemon(self.hub, *self.serve_argv(), log=self.log, env=self.environment())
        eventually(self.answers, f"{self.url} answers", within=START_DEADLINE, evidence=self.evidence)

    def stop(self) -> float:
        """Shut down (SIGTERM); the seconds that took."""
        return self.daemon.stop(STOP_DEADLINE)

    def kill(self) -> None:
        self.daemon.kill()

    @property
    def own_url(self) -> str:
        """Where the hub reaches it, by whatever name its clients know it."""
        return f"{self.scheme}://{self.hub.address}:{PORT}"

    def answers(self) -> bool:
        """Whether it serves its key; fails when the process has ended."""
        assert self.daemon.is_running(), "the server has ended"
        return self.get("/key?v=113")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page of this server, as the hub sees it; status 0 when nobody answers."""
        return self.hub.call(page, f"{self.own_url}{path}")

    def api(self, method: str, path: str, key: str, body: object = None, *, version: str = "v1") -> dict[str, Any]:
        """What the HTTP API answers to who has a key, `path` being what stands behind /api/v1."""
        return self.hub.call(_asked, method, f"{self.own_url}/api/{version}{path}", key, body)

    def evidence(self) -> str:
        return tail(self.log)

    # --- the command line

    def cli(self, *arguments: str) -> Any:
        """What the command answers with `-o json`."""
        return json.loads(run([*self.cli_argv(), *arguments, "-o", "json"], env=self.environment()))

    def user(self, name: str) -> str:
        """The id of a user, who is made when there is none of this name."""
        users = self.cli("users", "list") or []
        known = next((user for user in users if user["name"] == name), None)
        return str((known or self.cli("users", "create", name))["id"])

    def auth_key(self, user: str = "lab", *flags: str) -> str:
        """The secret of a new reusable key."""
        return str(self.cli("preauthkeys", "create", "--user", self.user(user), "--reusable", *flags)["key"])

    def register(self, login_url: str, user: str = "lab") -> None:
        """Complete a web registration the way the administrator is told to."""
        self.user(user)
        self.cli("auth", "register", "--user", user, "--auth-id", login_url.rsplit("/", 1)[-1])

    def nodes(self) -> list[dict[str, Any]]:
        return self.cli("nodes", "list") or []

    def node(self, name: str) -> dict[str, Any]:
        """The node with this given name."""
        nodes = self.nodes()
        found = next((node for node in nodes if node["givenName"] == name), None)
        assert found is not None, f"no node {name} among {[node['givenName'] for node in nodes]}"
        return found

    def node_id(self, name: str) -> str:
        return str(self.node(name)["id"])

    def is_online(self, name: str) -> bool:
        return bool(self.node(name).get("online"))

    def expire(self, name: str) -> None:
        self.cli("nodes", "expire", "-i", self.node_id(name))

    def delete(self, name: str) -> None:
        self.cli("nodes", "delete", "-i", self.node_id(name), "--force")

    def rename(self, name: str, new: str) -> None:
        self.cli("nodes", "rename", new, "-i", self.node_id(name))

    def approve_routes(self, name: str, *routes: str) -> None:
        """The routes a node may serve, instead of those approved before; none to reject all."""
        self.cli("nodes", "approve-routes", "-i", self.node_id(name), "-r", ",".join(routes))

    def set_policy(self, policy: Mapping[str, Any]) -> None:
        file = self.hub.directory / "policy.json"
        file.write_text(json.dumps(policy))
        self.cli("policy", "set", "-f", str(file))


class Hatsize(ControlServer):
    """`hatsize serve` with nothing configured but where its data lies and how clients reach it."""

    def prepare(self) -> None:
        """Nothing: the first start makes all it needs."""

    def serve_argv(self) -> list[str]:
        listen = f"{self.hub.address}:{PORT}"
        return [hatsize(), "serve", "--data-dir", str(self.data), "--listen", listen, "--server-url", self.url]

    def cli_argv(self) -> list[str]:
        return [hatsize()]

    def environment(self) -> Mapping[str, str]:
        return {"HATSIZE_DATA_DIR": str(self.data)}


def hatsize() -> str:
    """The `hatsize` command of the Python that runs the tests."""
    command = shutil.which("hatsize", path=str(Path(sys.executable).parent))
    assert command, f"no hatsize command beside {sys.executable}: make install"
    return command


def page(url: str) -> tuple[int, str]:
    """Status and body of a page, whoever vouches for its server; status 0 when nobody answers."""
    try:
        with _direct().open(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""


def _asked(method: str, url: str, key: str, body: object) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    with _direct().open(request, timeout=10) as answer:
        found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return found


def _direct() -> urllib.request.OpenerDirector:
    """Opens URLs past any proxy, whoever vouches for the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
