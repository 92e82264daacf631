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
    assert hatsize("policy", "preview", "-f", policy_file, "-o", "json").json == {"web": {"peers": {}}}
    assert server.asked == [("POST /policy/preview", {"policy": POLICY})]


def test_a_refused_policy_is_a_message_and_exits_1(hatsize, server, tmp_path, topology_file):
    wrong = tmp_path / "wrong.hujson"
    wrong.write_text('{"acls": [')
    server.answer("POST /policy/preview", {"detail": "line 1: no"}, status=400)
    online = hatsize("policy", "preview", "-f", str(wrong), "-o", "json")
    offline = hatsize("policy", "preview", "-f", str(wrong), "--topology", topology_file, "-o", "json")
    assert (online.code, online.json) == (1, {"message": "line 1: no"})
    assert offline.code == 1
    assert offline.json["message"]


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"users": [], "nodes": []}'])
def test_a_topology_of_another_form_is_told(hatsize, tmp_path, policy_file, text):
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text)
    result = hatsize("policy", "preview", "-f", policy_file, "--topology", str(wrong), "-o", "json")
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


def test_the_database_is_not_written_where_the_policy_is_read_from_a_file(hatsize, stopped, policy_file, monkeypatch):
    monkeypatch.setenv("HATSIZE_POLICY_FILE", policy_file)
    result = hatsize("policy", "set", "-f", policy_file, DIRECT, "--data-dir", stopped, "--force")
    assert result.code == 1
    assert f"read from {policy_file}" in result.err


FAILED = {
    "detail": "test(s) failed",
    "data": [{"user": "alice@", "errors": ['address "web:22": want: Drop, got: Accept']}],
}


@pytest.mark.parametrize(("verb", "asked"), [("set", "PUT /policy"), ("check", "POST /policy/check")])
def test_failed_tests_are_told_in_the_services_body_and_in_words(hatsize, server, policy_file, verb, asked):
    server.answer(asked, FAILED, status=400)
    for_programs = hatsize("policy", verb, "-f", policy_file, "-o", "json")
    for_people = hatsize("policy", verb, "-f", policy_file)
    assert for_programs.code == for_people.code == 1
    assert for_programs.json == {"message": "test(s) failed", "data": FAILED["data"]}
    assert for_people.err == 'Error: test(s) failed\n  alice@: address "web:22": want: Drop, got: Accept\n'


def test_a_fault_is_shown_where_it_stands(hatsize, server, tmp_path):
    wrong = tmp_path / "wrong.hujson"
    wrong.write_text('{\n\t"acls": nothing\n}')
    server.answer("PUT /policy", {"detail": "line 2, column 10: invalid literal"}, status=400)
    assert hatsize("policy", "set", "-f", str(wrong)).err == (
        'Error: line 2, column 10: invalid literal\n    \t"acls": nothing\n    \t        ^\n'
    )


@pytest.mark.parametrize(("verb", "asked"), [("set", "PUT /policy"), ("check", "POST /policy/check")])
def test_warnings_do_not_hinder(hatsize, server, policy_file, verb, asked):
    server.answer(asked, {"warnings": ["line 1, column 9: this rule never matches"]})
    result = hatsize("policy", verb, "-f", policy_file)
    assert result.code == 0
    assert result.err == "Warning: line 1, column 9: this rule never matches\n"
    assert hatsize("policy", verb, "-f", policy_file, "-o", "json").json["warnings"]


def test_a_policy_is_read_where_no_server_answers(hatsize, tmp_path, policy_file):
    here = ("--data-dir", str(tmp_path))
    assert "its tests were not run" in hatsize("policy", "check", "-f", policy_file, *here).out
    wrong = tmp_path / "wrong.hujson"
    wrong.write_text('{"aclz": []}')
    refused = hatsize("policy", "check", "-f", str(wrong), *here)
    assert refused.code == 1
    assert "aclz" in refused.err


def test_people_are_shown_what_would_be_other_than_now(hatsize, server, policy_file):
    server.answer("POST /policy/preview", {"nodes": {"web": {"peers": {}}}})
    result = hatsize("policy", "preview", "-f", policy_file, "--node", "web")
    assert result.out == "0 of 1 nodes would be sent something else.\n"
    assert [body for _, body in server.asked] == [{"policy": POLICY, "nodes": ["web"]}, {"nodes": ["web"]}]


def test_a_preview_may_be_of_some_nodes_alone(hatsize, policy_file, topology_file):
    offline = ("policy", "preview", "-f", policy_file, "--topology", topology_file, "-o", "json")
    assert list(hatsize(*offline, "--node", "web").json) == ["web"]
    assert hatsize(*offline, "--node", "wep").json["message"].startswith("there is no node wep in ")


def test_people_are_shown_what_the_nodes_in_a_file_would_be_sent(hatsize, policy_file, topology_file):
    out = hatsize("policy", "preview", "-f", policy_file, "--topology", topology_file).out
    assert "    sees laptop\n    lets in 443 from laptop\n" in out
    assert "every node\n    has " in out


VERSIONS = [
    {"version": "2", "author": "alice", "createdAt": "2026-03-04T05:06:08Z", "inForce": True},
    {"version": "1", "author": "", "createdAt": "2026-03-04T05:06:07Z", "inForce": False},
]


def test_the_policies_that_were_saved_are_listed(hatsize, server):
    server.answer("GET /policy/history", {"versions": VERSIONS})
    lines = hatsize("policy", "history").out.splitlines()
    assert lines[2].split() == ["2", "2026-03-04", "05:06:08", "alice", "in", "force"]
    assert lines[3].split() == ["1", "2026-03-04", "05:06:07", "-"]
    assert hatsize("policy", "history", "-o", "json").json == VERSIONS


def test_an_earlier_policy_is_shown_and_put_in_force_again(hatsize, server):
    server.answer("GET /policy/history/1", {"policy": POLICY})
    server.answer("POST /policy/history/1/revert", {"policy": POLICY})
    assert hatsize("policy", "get", "--version", "1").out == POLICY + "\n"
    assert hatsize("policy", "revert", "1").out == "Policy 1 is in force again.\n"
    assert hatsize("policy", "revert", "nought").code == 2


def test_a_file_that_is_not_in_force_is_told(hatsize, server):
    server.answer("GET /policy", {"policy": POLICY, "problem": "policy.hujson is not in force"})
    server.answer("GET /health", {"databaseConnectivity": True, "warnings": ["policy: it is not in force"]})
    result = hatsize("policy", "get")
    assert result.out == POLICY + "\n"
    assert result.err == "Warning: policy.hujson is not in force\n"
    assert hatsize("health").err == "Warning: policy: it is not in force\n"


REASONS = {
    "allowed": True,
    "reasons": [{"src": "laptop", "dst": "web", "rule": "acls[0]", "line": 1, "opens": "tag:web:443"}],
    "missing": [],
}


def test_the_rule_that_lets_a_packet_through_is_told(hatsize, server, policy_file, topology_file):
    server.answer("POST /policy/explain", REASONS)
    words = "alice@ reaches tag:web:443 (tcp)\n  laptop to web: acls[0] at line 1 opens tag:web:443\n"
    assert hatsize("policy", "explain", "alice@", "tag:web:443").out == words
    assert hatsize("policy", "explain", "alice@", "tag:web:443", "-o", "json").json == REASONS
    assert server.asked[0][1] == {"src": "alice@", "dst": "tag:web:443", "proto": "tcp"}
    offline = ("-f", policy_file, "--topology", topology_file)
    assert hatsize("policy", "explain", "alice@", "tag:web:443", *offline).out == words
    assert hatsize("policy", "explain", "alice@", "tag:web:443", *offline, "-o", "json").json == REASONS


def test_why_nothing_lets_a_packet_through_is_told(hatsize, policy_file, topology_file):
    offline = ("-f", policy_file, "--topology", topology_file)
    result = hatsize("policy", "explain", "web", "laptop:22", *offline)
    assert result.code == 0
    assert result.out == "web does not reach laptop:22 (tcp)\n  web to laptop: no rule has web as a source\n"
    assert "no rule opens port 22" in hatsize("policy", "explain", "laptop", "web:22", *offline).out


def test_a_question_that_cannot_be_answered_is_told(hatsize, policy_file, topology_file):
    offline = ("-f", policy_file, "--topology", topology_file)
    assert "nobody" in hatsize("policy", "explain", "nobody", "web", *offline).err
    assert "is not a port" in hatsize("policy", "explain", "web", "web:0", *offline).err
    assert hatsize("policy", "explain", "web", "web", "--topology", topology_file).code == 2
