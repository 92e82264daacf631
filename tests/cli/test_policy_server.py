"""The policy verbs against a server whose policy is in a file, and one whose policy is its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HATSIZE = str(Path(sys.executable).with_name("hatsize"))
OPEN = '{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}'
CLOSED = '{\n  // nobody\n  "grants": [],\n}'
FAILING = '{"grants": [], "tests": [{"src": "alice@", "accept": ["100.64.0.2:22"]}]}'
PATIENCE = 5.0
AUTH_ID = "hskey-authreq-" + "0123456789ab" * 2


class Served:
    """A server's process, and the command line beside it."""

    def __init__(self, data_dir: Path, **environ: str) -> None:
        self.log = data_dir / "log"
        self._socket = data_dir / "hatsize.sock"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HATSIZE_")}
        self._environ = plain | {"HATSIZE_DATA_DIR": str(data_dir), "HATSIZE_STUN_ENABLED": "false"} | environ
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        flags = ["--listen", address, "--server-url", f"http://{address}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([HATSIZE, "serve", *flags], env=self._environ, stdout=log, stderr=log)

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while not self._socket.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        line = [HATSIZE, *words]
        return subprocess.run(  # noqa: PLW1510 - its outcome is looked at
            line, env=self._environ, input=stdin, capture_output=True, text=True, timeout=30
        )

    def json(self, *words: str, stdin: str = ""):
        return json.loads(self.run(*words, "-o", "json", stdin=stdin).stdout)


@contextmanager
def served(data_dir: Path, **environ: str):
    server = Served(data_dir, **environ)
    try:
        server.wait()
        yield server
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.log.read_text()
    finally:
        server.process.kill()
        server.process.wait()


def within(seconds: float, true) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with one node, `web`, of alice's."""
    with served(tmp_path_factory.mktemp("data")) as server:
        server.run("users", "create", "alice")
        server.run("debug", "create-node", "--name", "web", "--user", "alice", "--key", AUTH_ID)
        server.run("auth", "register", "--user", "alice", "--auth-id", AUTH_ID)
        yield server


def put(server, policy):
    return server.run("policy", "set", "-f", "-", stdin=policy)


def test_a_policy_whose_tests_fail_leaves_the_former_one(server):
    assert put(server, CLOSED).stdout == "Policy updated.\n"
    refused = put(server, FAILING)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "Error: test(s) failed",
        '  alice@: address "100.64.0.2:22": want: Accept, got: Drop',
    ]
    assert server.json("policy", "check", "-f", "-", stdin=FAILING) == {
        "message": "test(s) failed",
        "data": [{"user": "alice@", "errors": ['address "100.64.0.2:22": want: Accept, got: Drop']}],
    }
    assert server.run("policy", "get").stdout == CLOSED + "\n"


def test_a_fault_is_told_where_it_is(server):
    assert put(server, '{\n  "grants": [{"src": ["*"]}],\n}').stderr.startswith("Error: line 2, column ")


def test_a_policy_is_previewed_and_explained_for_the_tailnet_as_it_is(server):
    put(server, CLOSED)
    assert server.json("policy", "preview", "-f", "-", stdin=OPEN)["web"]["packet_filter_rules"]
    told = server.run("policy", "preview", "-f", "-", stdin=OPEN).stdout
    assert (
        told == "web\n  + lets in anything from the tailnet to anywhere\n1 of 1 nodes would be sent something else.\n"
    )
    assert server.json("policy", "explain", "100.64.0.9", "web:22")["allowed"] is False
    put(server, OPEN)
    assert "grants[0] at line 1" in server.run("policy", "explain", "alice@", "web:22").stdout


def test_an_earlier_policy_is_put_in_force_again(server):
    put(server, CLOSED)
    put(server, OPEN)
    newest, former, *_ = server.json("policy", "history")
    assert newest["inForce"]
    assert server.run("policy", "revert", former["version"]).returncode == 0
    assert server.run("policy", "get").stdout == CLOSED + "\n"
    assert server.json("policy", "history")[0]["author"]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A server whose policy is read from a file, and the file."""
    data_dir = tmp_path_factory.mktemp("data")
    file = data_dir / "policy.hujson"
    file.write_text(OPEN)
    with served(data_dir, HATSIZE_POLICY_FILE=str(file)) as server:
        yield server, file


def test_an_edit_is_in_force_without_a_word(followed):
    server, file = followed
    for policy in (CLOSED, OPEN):
        before = server.log.read_text().count("is in force")
        file.write_text(policy)
        assert within(PATIENCE, lambda before=before: server.log.read_text().count("is in force") > before)
        assert server.run("policy", "get").stdout == policy + "\n"


def test_a_bad_edit_is_told_everywhere_and_changes_nothing(followed):
    server, file = followed
    file.write_text(OPEN)
    assert within(PATIENCE, lambda: server.run("policy", "get").stdout == OPEN + "\n")
    file.write_text('{"grants": [,]}')
    assert within(PATIENCE, lambda: "not in force" in server.log.read_text())
    got = server.run("policy", "get")
    assert got.stdout == OPEN + "\n"
    assert "line 1, column 13" in got.stderr
    assert "line 1, column 13" in server.json("health")["warnings"][0]
    file.write_text(OPEN)
    assert within(PATIENCE, lambda: not server.run("policy", "get").stderr)


def test_a_hangup_reads_the_file_again(followed):
    server, _ = followed
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert server.process.poll() is None
    assert server.run("policy", "get").returncode == 0


def test_nothing_else_puts_a_policy_in_force(followed):
    server, file = followed
    for refused in (put(server, CLOSED), server.run("policy", "revert", "1")):
        assert refused.returncode == 1
        assert f"read from {file}: change that file" in refused.stderr


@pytest.mark.parametrize("text", ['{"grants": [', None])
def test_a_file_that_cannot_be_taken_stops_the_start(tmp_path, text):
    file = tmp_path / "policy.hujson"
    if text is not None:
        file.write_text(text)
    server = Served(tmp_path, HATSIZE_POLICY_FILE=str(file))
    assert server.process.wait(30) == 2
    told = server.log.read_text()
    assert told.startswith("Error: policy.file")
    assert "line 1, column" in told if text else "cannot be read" in told
