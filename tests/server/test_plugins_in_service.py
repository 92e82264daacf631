"""A server with a third party's plugins: one that uses everything, and two that misbehave."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
GOOD = """
from contextlib import asynccontextmanager
from quart import Blueprint
from hatsize.hooks import hookimpl
from hatsize.hooks.metrics import Figure, Sample

class Plugin:
    hatsize_api = "1.0"

    @hookimpl
    def hatsize_configured(self, setup):
        self.notes = setup.data_dir / "notes"

    def note(self, text):
        with self.notes.open("a") as file:
            file.write(text + "\\\\n")

    @hookimpl
    def hatsize_running(self, server):
        return self.running()

    @asynccontextmanager
    async def running(self):
        self.note("enters")
        yield
        self.note("leaves")

    @hookimpl
    async def hatsize_changed(self, change):
        self.note(change.kind)

    @hookimpl
    def hatsize_blueprints(self, server):
        pages = Blueprint("good", __name__)

        @pages.get("/good/figures")
        async def figures():
            lost = [figure for figure in server.figures() if figure.name == "hatsize_plugin_errors"]
            return {sample.labels["plugin"]: sample.value for figure in lost for sample in figure.samples}

        return [pages]

plugin = Plugin()
"""
FAILING = """
from hatsize.hooks import hookimpl

class Plugin:
    hatsize_api = "1.0"

    @hookimpl
    async def hatsize_changed(self, change):
        raise RuntimeError("hinges")

plugin = Plugin()
"""
HANGING = FAILING.replace('raise RuntimeError("hinges")', "import anyio; await anyio.sleep_forever()")
UNSTARTABLE = FAILING.replace("hatsize_changed(self, change)", "hatsize_chnaged(self, change)")


@pytest.fixture
def environ(tmp_path):
    """A place with four plugins in it, and the variables that lead there."""
    plugins = {"good": GOOD, "failing": FAILING, "hanging": HANGING, "unstartable": UNSTARTABLE}
    for name, text in plugins.items():
        (tmp_path / f"third_{name}.py").write_text(text.replace("\\\\n", "\\n"))
        info = tmp_path / f"third_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: third-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hatsize]\n{name} = third_{name}:plugin\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path), "HATSIZE_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def serve(environ, free_tcp_port, tmp_path):
    """Runs a server with these plugins; gives its URL and what takes it down."""
    servers = []
    address = f"127.0.0.1:{free_tcp_port}"

    def start(*plugins):
        environ["HATSIZE_PLUGINS_ENABLED"] = ",".join(plugins)
        environ["HATSIZE_STUN_ENABLED"] = "false"
        with (tmp_path / "log").open("wb") as log:
            command = [BIN / "hatsize", "serve", "--listen", address, "--server-url", f"http://{address}"]
            servers.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log))
        deadline = time.monotonic() + 20
        while servers[0].poll() is None and time.monotonic() < deadline:
            try:
                return read(f"http://{address}/health") and f"http://{address}"
            except OSError:
                time.sleep(0.1)
        raise AssertionError((tmp_path / "log").read_text())

    def stop():
        servers[0].send_signal(signal.SIGTERM)
        return servers[0].wait(15)

    yield start, stop
    for server in servers:
        server.kill()
        server.wait()


def read(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def test_a_plugin_hears_serves_and_is_left_in_order(serve, environ, tmp_path):
    start, stop = serve
    url = start("failing", "hanging", "good")
    for number in range(3):
        subprocess.run([BIN / "hatsize", "users", "create", f"user{number}"], env=environ, check=True, timeout=20)
    assert json.loads(read(f"{url}/good/figures"))["failing"] >= 3
    assert stop() == 0
    notes = (tmp_path / "data" / "notes").read_text().split()
    assert notes[0] == "enters"
    assert notes.count("user.created") == 3
    assert notes[-1] == "leaves"
    log = (tmp_path / "log").read_text()
    assert log.count("Traceback") == 1
    assert "plugin failing failed in hatsize_changed" in log


def test_a_misspelt_hook_ends_the_start_with_2_and_one_line(environ):
    environ["HATSIZE_PLUGINS_ENABLED"] = "good,unstartable"
    run = subprocess.run(
        [BIN / "hatsize", "serve"], env=environ, capture_output=True, text=True, timeout=20, check=False
    )
    assert run.returncode == 2
    words = "plugin 'unstartable' cannot be used: hatsize_chnaged is not a hook; did you mean hatsize_changed?"
    assert run.stderr.splitlines() == [f"Error: {words}"]
