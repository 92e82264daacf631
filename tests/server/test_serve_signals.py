"""`hatsize serve` as a process: what it does when it is sent signals."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hatsize.testing.server import free_port

pytestmark = pytest.mark.slow
HATSIZE = Path(sys.executable).with_name("hatsize")
SETTINGS = """
listen = ["127.0.0.1:{port}"]
data_dir = "{folder}/data"
stun.enabled = false
dns.override_local_dns = {override}
log.level = "{level}"
"""


class Process:
    """A server whose settings file a test writes anew."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.log = folder / "server.log"
        self.write()
        argv = [HATSIZE, "serve", "-c", str(folder / "hatsize.toml")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.until(lambda: "tailscale up" in self.log.read_text())

    def write(self, override="false", level="info"):
        text = SETTINGS.format(port=self.port, folder=self.folder, override=override, level=level)
        (self.folder / "hatsize.toml").write_text(text)

    def hang_up(self, words):
        """Send SIGHUP, and wait for these words in the log."""
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: words in self.log.read_text())

    def until(self, true):
        deadline = time.monotonic() + 20
        while not true():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def server(tmp_path):
    made = Process(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def test_settings_are_read_again_at_sighup(server):
    server.write(level="debug")
    server.hang_up("the settings were read again")


def test_a_bad_file_is_told_and_the_server_goes_on(server):
    server.write(override="true")
    server.hang_up("the former settings stay in force: dns.override_local_dns = true (hatsize.toml): needs a resolver")
    server.write(level="error")
    server.process.send_signal(signal.SIGHUP)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
