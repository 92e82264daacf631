"""The command line against a server of its own, both as people start them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HATSIZE = str(Path(sys.executable).with_name("hatsize"))
REALISTIC = Path(__file__).parents[3] / "shared" / "tailnetload" / "realistic.py"
AUTH_ID = "hskey-authreq-" + "0123456789ab" * 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server without STUN on a free port, with its environment, which leads the command line to it."""
    data_dir, port = tmp_path_factory.mktemp("data"), free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HATSIZE_")}
    environ = plain | {"HATSIZE_DATA_DIR": str(data_dir), "HATSIZE_STUN_ENABLED": "false"}
    flags = ["--listen", f"127.0.0.1:{port}", "--server-url", f"http://127.0.0.1:{port}"]
    with (data_dir / "log").open("wb") as log:
        server = subprocess.Popen([HATSIZE, "serve", *flags], env=environ, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while not (data_dir / "hatsize.sock").exists():
        assert server.poll() is None, (data_dir / "log").read_text()
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield environ | {"PORT": str(port)}
    server.send_signal(signal.SIGTERM)
    assert server.wait(10) == 0
    assert "Traceback" not in (data_dir / "log").read_text()


@pytest.fixture
def run(running):
    """Run a command line for programs; its result, or the refusal."""

    def run(*words: str, **environ: str):
        done = subprocess.run(  # noqa: PLW1510 - its outcome is looked at
            [HATSIZE, *words, "-o", "json"], env=running | environ, capture_output=True, text=True, timeout=30
        )
        return json.loads(done.stdout if done.returncode == 0 else done.stderr)

    return run


def call(url, *, data=None, token=""):
    """Status and body of an answer of the API."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_a_machine_joins_is_changed_and_goes(run):
    user = run("users", "create", "alice", "--email", "alice@example.com")
    run("debug", "create-node", "--name", "Alice's Web", "--user", "alice", "--key", AUTH_ID, "--route", "10.1.0.0/16")
    node = run("auth", "register", "--user", "alice", "--auth-id", AUTH_ID)
    assert (node["givenName"], node["registerMethod"], node["online"]) == ("alices-web", "REGISTER_METHOD_CLI", False)
    assert len(node["ipAddresses"]) == 2
    here = ("-i", node["id"])
    assert run("nodes", "approve-routes", *here, "-r", "10.1.0.0/16,::/0")["approvedRoutes"] == [
        "0.0.0.0/0", "10.1.0.0/16", "::/0",
    ]  # fmt: skip
    assert run("nodes", "rename", "web", *here)["givenName"] == "web"
    assert run("nodes", "expire", *here)["expiry"]
    assert run("nodes", "expire", *here, "--disable")["expiry"] is None
    assert "still owns" in run("users", "destroy", "-i", user["id"], "--force")["error"]
    assert run("nodes", "backfillips", "--force") == {"changes": []}
    run("nodes", "delete", *here, "--force")
    assert run("users", "destroy", "-i", user["id"], "--force") == {}


def test_a_program_elsewhere_needs_an_api_key(run, running):
    url = {"HATSIZE_SERVER_URL": f"http://127.0.0.1:{running['PORT']}"}
    key = run("apikeys", "create", "-e", "1h")
    assert run("health", **url, HATSIZE_API_KEY=key) == {"databaseConnectivity": True}
    assert "not valid" in run("health", **url, HATSIZE_API_KEY=key[:-1] + "_")["error"]
    prefix = run("apikeys", "list")[-1]["prefix"]
    assert run("apikeys", "expire", "--prefix", prefix) == {}
    assert "not valid" in run("health", **url, HATSIZE_API_KEY=key)["error"]


def test_an_oauth_client_does_what_its_scopes_say_until_it_is_removed(run, running):
    made = run("oauth-clients", "create", "-s", "users:read", "-d", "reads users")
    assert [client["id"] for client in run("oauth-clients", "list")] == [made["id"]]
    base = f"http://127.0.0.1:{running['PORT']}/api"
    granted = call(
        f"{base}/v2/oauth/token", data=b"grant_type=client_credentials&client_secret=" + made["key"].encode()
    )
    token = json.loads(granted[1])["access_token"]
    asked = [f"{base}/v2/tailnet/-/users", f"{base}/v2/tailnet/-/devices", f"{base}/v1/user"]
    assert [call(url, token=token)[0] for url in asked] == [200, 403, 403]
    assert run("oauth-clients", "delete", "-i", made["id"], "--force") == {"id": made["id"]}
    assert [call(url, token=token)[0] for url in asked] == [401, 401, 401]
    assert "no key" in run("oauth-clients", "delete", "-i", made["id"], "--force")["error"]


@pytest.mark.skipif(not REALISTIC.exists(), reason="the script is not beside this repository (../shared/tailnetload)")
def test_a_script_written_for_headscale_sets_up_a_tailnet(running, tmp_path):
    done = subprocess.run(  # noqa: PLW1510 - its outcome is looked at
        [sys.executable, REALISTIC, tmp_path, HATSIZE], env=running, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "20 users, 200 rules, 50 auth keys\n", done.stderr
    assert len((tmp_path / "keys").read_text().split()) == 50


def test_dns_changes_while_the_server_runs(run):
    assert run("dns", "nameservers", "set", "9.9.9.9", "--override")["changed"] == ["overrideLocalDns", "nameservers"]
    assert run("dns", "split", "set", "Corp.example", "10.0.0.53")["dns"]["split"] == {"corp.example": ["10.0.0.53"]}
    assert "give an address" in run("dns", "nameservers", "set", "dns.example")["error"]
    record = run("dns", "records", "add", "_sip._tcp.corp.example", "SRV", "1 1 5060 sip.corp.example")
    assert record["answeredBy"] == "10.0.0.53, the resolvers of corp.example"
    assert run("dns", "records", "list") == [record]
    assert run("dns", "records", "remove", "-i", record["id"]) == {}
    run("dns", "split", "reset")
    assert run("dns", "nameservers", "reset")["changed"] == []
