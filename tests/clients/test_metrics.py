"""A real Prometheus scrapes a server with real clients, and the dashboard has something to show in every panel."""

import json
import math
import re
import shutil
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import hatsize_metrics
from tests.clients.lab import nat, requirements
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize, page
from tests.clients.lab.waiting import eventually

METRICS_PORT, PROMETHEUS_PORT = 9180, 9190
TOKEN = "a-token-of-the-lab"
DASHBOARD = Path(hatsize_metrics.__file__).parent / "share" / "dashboard.json"


class Measured(Hatsize):
    """A server with the plugin, on a listener of its own."""

    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment(),
            "HATSIZE_PLUGINS_ENABLED": "metrics",
            "HATSIZE_PLUGINS_METRICS_LISTEN": f"{self.hub.address}:{METRICS_PORT}",
            "HATSIZE_PLUGINS_METRICS_TOKEN": TOKEN,
        }


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    """Two clients of different versions, one of which the other reaches by the relay alone."""
    with laboratory(Measured) as fresh:
        walled = fresh.network.machine("walled")
        nat.block_udp(walled)
        fresh.join(fresh.client("old", OLDEST), fresh.client_on(walled, NEWEST))
        yield fresh


class Prometheus:
    """Prometheus on the hub, once it has seen a change of every counter it is to show a rate of."""

    def __init__(self, lab: Lab) -> None:
        self.hub = lab.server.hub
        folder = self.hub.directory
        targets = [{"targets": [f"{self.hub.address}:{METRICS_PORT}"]}]
        job = {"job_name": "hatsize", "authorization": {"credentials": TOKEN}, "static_configs": targets}
        config = folder / "prometheus.json"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
        self.address = f"{self.hub.address}:{PROMETHEUS_PORT}"
        argv = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        self.daemon = Daemon(
            self.hub, *argv, f"--web.listen-address={self.address}", log=folder / "prometheus.log", env={}
        )
        eventually(lambda: self.get("/-/ready")[0] == 200, "Prometheus is ready", within=30)

    def get(self, path: str) -> tuple[int, str]:
        return self.hub.call(page, f"http://{self.address}{path}")

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples that answer a query."""
        query = urllib.parse.urlencode({"query": expression.replace("$instance", ".*")})
        status, body = self.get(f"/api/v1/query?{query}")
        assert status == 200, body
        result: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return result


@pytest.fixture(scope="module")
def prometheus(lab: Lab) -> Iterator[Prometheus]:
    if shutil.which("prometheus") is None:
        assert not requirements.required(), "Prometheus is not installed (Debian package prometheus)"
        pytest.skip("Prometheus is not installed (Debian package prometheus)")
    started = Prometheus(lab)
    yield started
    started.daemon.kill()


def value(prometheus: Prometheus, expression: str) -> float:
    samples = prometheus.ask(expression)
    return float(samples[0]["value"][1]) if samples else math.nan


def test_nodes_are_counted_by_what_they_are(prometheus: Prometheus) -> None:
    eventually(lambda: value(prometheus, "hatsize_nodes_online") == 2, "both clients are counted", within=20)
    by_version = {sample["metric"]["version"] for sample in prometheus.ask("hatsize_nodes_by_version")}
    assert {re.match(r"[\d.]+\d", version).group() for version in by_version} == {OLDEST, NEWEST}  # type: ignore[union-attr]
    assert value(prometheus, 'hatsize_nodes_by_os{os="linux"}') == 2


def test_what_the_relay_carries_is_counted(lab: Lab, prometheus: Prometheus) -> None:
    before = value(prometheus, "hatsize_derp_packets_sent_total")
    lab.clients[0].reach("walled")
    eventually(
        lambda: value(prometheus, "hatsize_derp_packets_sent_total") > before, "relayed packets are counted", within=20
    )


def test_every_panel_of_the_dashboard_has_something_to_show(prometheus: Prometheus) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
    eventually(
        lambda: not [title for title, expression in queries if not prometheus.ask(expression)],
        "every query of the dashboard has an answer", within=30,
        evidence=lambda: str([query for query in queries if not prometheus.ask(query[1])]),
    )  # fmt: skip
