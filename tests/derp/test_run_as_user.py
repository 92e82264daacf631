"""`hatsize derp --user` started as root: what it may still do when it has become that user."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hatsize.server.derp import _give
from hatsize.testing.server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")]
USER = "nobody"


@pytest.fixture
def relay(tmp_path):
    """A relay that orders a certificate where nobody answers."""
    folder = tmp_path / "derp"
    acme = ["--acme-domain", "relay.example", "--acme-url", f"https://127.0.0.1:{free_port()}/directory"]
    where = ["--data-dir", folder, "--listen", f"127.0.0.1:{free_port()}", "--stun", ""]
    command = [Path(sys.executable).with_name("hatsize"), "derp", "--user", USER, *acme, *where]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    yield process, folder
    process.kill()
    process.communicate()


def test_a_certificate_is_still_ordered(relay):
    process, folder = relay
    assert "no certificate for relay.example" in process.stderr.readline()
    time.sleep(0.2)
    assert process.poll() is None
    assert Path(f"/proc/{process.pid}").owner() == USER
    assert (folder / "acme").owner() == USER
    assert folder.stat().st_mode & 0o777 == 0o711
    assert ((folder / "derp.key").owner(), (folder / "derp.key").stat().st_mode & 0o777) == ("root", 0o600)


def test_a_link_that_the_user_left_gives_nothing_away(tmp_path):
    (tmp_path / "secret").touch()
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    _give(tmp_path / "link", USER)
    assert (tmp_path / "secret").owner() == "root"
