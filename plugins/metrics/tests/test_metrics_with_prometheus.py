"""Rules, dashboard and metrics as Prometheus itself reads them, from a server that runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

import hatsize_metrics

SHARE = Path(hatsize_metrics.__file__).parent / "share"
README = Path(__file__).parents[1] / "README.md"
RULES = SHARE / "rules.yml"
DASHBOARD = SHARE / "dashboard.json"
NEED_CLIENTS = {"Nodes by client version", "Nodes by system", "Map messages", "Map bytes"}
"""Panels that are empty while nobody has joined."""


def read(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read().decode()


def until(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(url):
    try:
        return bool(read(url))
    except (OSError, urllib.error.URLError):
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory, free_tcp_port_factory):
    """The metrics' address of a server with this plugin, which has answered a few requests."""
    folder = tmp_path_factory.mktemp("served")
    port, metrics_port = free_tcp_port_factory(), free_tcp_port_factory()
    environ = {
        **os.environ,
        "HATSIZE_DATA_DIR": str(folder / "data"),
        "HATSIZE_LISTEN": f"127.0.0.1:{port}",
        "HATSIZE_STUN_LISTEN": f"127.0.0.1:{port}",
        "HATSIZE_PLUGINS_ENABLED": "metrics",
        "HATSIZE_PLUGINS_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
        "HATSIZE_PLUGINS_METRICS_PER_NODE": "true",
    }
    command = [Path(sys.executable).parent / "hatsize", "serve"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=environ, stdout=log, stderr=log) as server:
        try:
            until(20, lambda: answers(f"http://127.0.0.1:{metrics_port}/metrics"))
            assert answers(f"http://127.0.0.1:{port}/health")
            yield f"127.0.0.1:{metrics_port}"
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(15) == 0, (folder / "log").read_text()


@pytest.fixture(scope="module")
def metrics(served):
    return read(f"http://{served}/metrics")


def names_there(metrics):
    """The names of all metrics, as `# TYPE` lines give them and as samples have them."""
    types = set(re.findall(r"^# TYPE (\S+)", metrics, re.MULTILINE))
    return types | {f"{name}{suffix}" for name in types for suffix in ("_bucket", "_count", "_sum")}


def names_in(expression):
    return set(re.findall(r"\b(?:hatsize|process)_[a-z0-9_]+", expression))


def recorded():
    return set(re.findall(r"record: (\S+)", RULES.read_text()))


def expressions():
    return re.findall(r"expr: (.+)", RULES.read_text())


def queries():
    return [
        (panel["title"], target["expr"])
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.slow
def test_all_of_it_is_openmetrics_as_well(served, metrics):
    told = read(f"http://{served}/metrics", Accept="application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in read_openmetrics(told)}
    assert {name.removesuffix("_total") for name in re.findall(r"^# TYPE (hatsize_\S+)", metrics, re.MULTILINE)} <= set(
        families
    )
    assert families["hatsize_map_bytes"].unit == "bytes"


@pytest.mark.slow
def test_rules_name_metrics_that_exist(metrics):
    assert {name for each in expressions() for name in names_in(each)} <= names_there(metrics)
    assert {name for each in expressions() for name in re.findall(r"hatsize:\w+:\w+", each)} <= recorded()


@pytest.mark.slow
@pytest.mark.parametrize(("title", "expression"), queries())
def test_the_dashboards_queries_name_metrics_that_exist(metrics, title, expression):
    assert names_in(expression), title
    assert names_in(expression) <= names_there(metrics)


@pytest.mark.slow
def test_the_names_given_in_place_of_headscales_exist(metrics):
    page = README.read_text().partition("## What was scraped from Headscale")[2].partition("Example output")[0]
    counters = {f"{name}_total" for name in names_there(metrics)}
    named = names_in(page)
    assert len(named) > 9
    assert named <= names_there(metrics) | counters


@pytest.mark.slow
def test_promtool_finds_nothing_wrong_with_the_metrics(promtool, metrics):
    run = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.slow
def test_promtool_finds_nothing_wrong_with_the_rules(promtool):
    run = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_prometheus_scrapes_it_and_every_query_of_the_dashboard_works(prometheus, served, tmp_path, free_tcp_port):
    address = f"127.0.0.1:{free_tcp_port}"
    config = tmp_path / "prometheus.yml"
    jobs = {"job_name": "hatsize", "static_configs": [{"targets": [served]}]}
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [jobs]}))
    command = [
        prometheus, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'db'}",
        f"--web.listen-address={address}", "--enable-feature=exemplar-storage", "--log.level=error",
    ]  # fmt: skip

    def ask(expression):
        query = urllib.parse.urlencode({"query": expression.replace("$instance", ".*")})
        return json.loads(read(f"http://{address}/api/v1/query?{query}"))["data"]["result"]

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(30, lambda: answers(f"http://{address}/-/ready"))
            until(30, lambda: ask("count_over_time(hatsize_nodes[1m]) > 2"))
            assert ask("up")[0]["value"][1] == "1"
            assert {title for title, each in queries() if not ask(each)} <= NEED_CLIENTS
        finally:
            server.terminate()
            server.wait(15)
