"""The verbs of `hatsize policy` that do not only ask the server: previews, and the database of a stopped server."""

import json
from datetime import UTC, datetime

import pytest

from hatsize.server.first_run import open_tailnet
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.settings import load_settings

POLICY = '{"acls": [{"action": "accept", "src": ["alice@"], "dst": ["tag:web:443"]}], "tagOwners": {"tag:web": []}}'
DIRECT = "--bypass-server-and-access-database-directly"
TOPOLOGY = {
    "users": [{"id": 1, "name": "alice"}],
    "nodes": {
        "laptop": {"user": "alice", "ipv4": "100.64.0.1", "ipv6": "fd7a:115c:a1e0::1"},
        "web": {"tags": ["tag:web"], "ipv4": "100.64.0.2", "ipv6": "fd7a:115c:a1e0::2"},
    },
}


@pytest.fixture
def policy_file(tmp_path):
    path = tmp_path / "policy.hujson"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def topology_file(tmp_path):
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(TOPOLOGY))
    return str(path)


@pytest.fixture
def stopped(tmp_path):
    """The data directory of a server that ran once."""
    settings = load_settings(environ={}, flags={"data_dir": tmp_path})
    storage = choose_services(load_plugins(settings), settings).storage
    storage.open()
    open_tailnet(storage, "example", datetime.now(UTC))
    storage.close()
    return str(tmp_path)


def test_a_policy_is_previewed_for_a_tailnet_in_a_file(hatsize, policy_file, topology_file):
    result = hatsize("policy", "preview", "-f", policy_file, "--topology", topology_file, "-o", "json")
    assert set(result.json) == {"laptop", "web"}
    assert set(result.json["web"]) == {"packet_filter_rules", "ssh_rules", "peers", "cap_map"}
    assert list(result.json["laptop"]["peers"]) == ["web"]


def test_a_policy_is_previewed_for_the_running_tailnet(hatsize, server, policy_file):
    server.answer("POST /policy/preview", {"nodes": {"web": {"peers": {}}}})
    assert hatsize("policy", "preview", "-f", policy_file).json == {"web": {"peers": {}}}
    assert server.asked == [("POST /policy/preview", {"policy": POLICY})]


def test_a_refused_policy_is_a_message_and_exits_1(hatsize, server, tmp_path, topology_file):
    wrong = tmp_path / "wrong.hujson"
    wrong.write_text('{"acls": [')
    server.answer("POST /policy/preview", {"detail": "line 1: no"}, status=400)
    online = hatsize("policy", "preview", "-f", str(wrong))
    offline = hatsize("policy", "preview", "-f", str(wrong), "--topology", topology_file)
    assert (online.code, online.json) == (1, {"message": "line 1: no"})
    assert offline.code == 1
    assert offline.json["message"]


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"users": [], "nodes": []}'])
def test_a_topology_of_another_form_is_told(hatsize, tmp_path, policy_file, text):
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text)
    result = hatsize("policy", "preview", "-f", policy_file, "--topology", str(wrong))
    assert result.code == 1
    assert "topology" in result.json["message"] or "JSON" in result.json["message"]


def test_the_database_of_a_stopped_server_is_read_and_written(hatsize, stopped, policy_file):
    def direct(*words: str):
        return hatsize("policy", *words, DIRECT, "--data-dir", stopped, "--force")

    assert "no policy was saved" in direct("get").err
    assert direct("check", "-f", policy_file).out == "Policy is valid\n"
    assert direct("set", "-f", policy_file).out == "Policy updated.\n"
    assert direct("get").out == POLICY + "\n"


def test_a_policy_that_would_be_refused_is_not_stored(hatsize, stopped, tmp_path):
    wrong = tmp_path / "wrong.hujson"
    wrong.write_text('{"acls": [')
    result = hatsize("policy", "set", "-f", str(wrong), DIRECT, "--data-dir", stopped, "--force")
    assert result.code == 1
    assert "Traceback" not in result.err
    assert "no policy was saved" in hatsize("policy", "get", DIRECT, "--data-dir", stopped, "--force").err


def test_the_database_is_not_opened_before_somebody_says_that_the_server_is_stopped(hatsize, stopped):
    result = hatsize("policy", "get", DIRECT, "--data-dir", stopped, stdin="n\n")
    assert result.code == 1
    assert "was not opened" in result.err


def test_a_directory_that_holds_no_tailnet_is_told(hatsize, tmp_path):
    result = hatsize("policy", "get", DIRECT, "--data-dir", str(tmp_path), "--force")
    assert "start the server once" in result.err
