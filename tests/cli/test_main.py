"""The command line as a whole: what it starts with, its common options, exit codes, and errors."""

import json
import subprocess
import sys

import pytest

from hatsize.cli.main import ENTRIES, command

HEAVY = {"pydantic", "quart", "sqlalchemy", "hypercorn", "rich", "alembic", "msgspec", "nacl", "ssl_", "yaml"}


@pytest.mark.parametrize("noun", ["users", "nodes", "preauthkeys", "apikeys", "auth", "policy", "health", "version"])
def test_what_only_asks_a_server_imports_nothing_heavy(noun):
    code = f"import sys, hatsize.cli.main, hatsize.cli.{noun}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & {module.partition(".")[0] for module in modules}


def test_the_help_lists_the_commands_without_importing_them(hatsize):
    result = hatsize("--help")
    assert result.code == 0
    for name, entry in ENTRIES.items():
        assert (name in result.out) is not entry.hidden


@pytest.mark.parametrize("noun", [name for name in ENTRIES if name != "serve"])
def test_every_command_explains_itself(hatsize, noun):
    result = hatsize(noun, "-h")
    assert result.code == 0
    assert "--output" in result.out


def test_every_alias_leads_to_a_command():
    for alias, name in command.aliases.items():
        assert name in ENTRIES
        assert alias not in ENTRIES


@pytest.mark.parametrize(
    "words",
    [["-o", "json", "users", "list"], ["users", "-o", "json", "list"], ["users", "list", "-o", "json"]],
)
def test_common_options_go_anywhere(hatsize, server, words):
    server.answer("GET /user", {"users": []})
    assert hatsize(*words).out == "[]\n"


def test_the_last_option_wins(hatsize, server):
    server.answer("GET /user", {"users": []})
    server.answer("GET /health", {"databaseConnectivity": True})
    assert hatsize("-o", "json", "health", "-o", "json-line").out == '{"databaseConnectivity":true}\n'


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("json", '{\n\t"databaseConnectivity": true\n}\n'),
        ("json-line", '{"databaseConnectivity":true}\n'),
        ("yaml", "databaseConnectivity: true\n"),
    ],
)
def test_the_forms_for_programs_are_headscales(hatsize, server, output, text):
    server.answer("GET /health", {"databaseConnectivity": True})
    assert hatsize("health", "-o", output).out == text


def test_a_refusal_is_one_line_and_exits_1(hatsize, server):
    server.answer("GET /health", {"title": "Bad Request", "status": 400, "detail": "no: do this"}, status=400)
    result = hatsize("health")
    assert (result.code, result.out, result.err) == (1, "", "Error: no: do this\n")


def test_a_refusal_is_json_for_programs(hatsize, server):
    server.answer("GET /health", {"detail": "no: do this"}, status=400)
    result = hatsize("health", "-o", "json")
    assert (result.code, json.loads(result.err)) == (1, {"error": "no: do this"})


@pytest.mark.parametrize(
    "line", ["nothing", "users nothing", "users create", "health -o xml", "nodes delete -i x", "nodes rename -i 1"]
)
def test_a_wrong_line_is_one_line_that_leads_to_the_help_and_exits_2(hatsize, line):
    result = hatsize(*line.split())
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "--help" in result.err


def test_nobody_at_the_socket_is_told_with_the_ways_to_mend_it(hatsize, tmp_path):
    result = hatsize("users", "list", "--data-dir", str(tmp_path))
    assert result.code == 1
    for way in ("hatsize serve", "--data-dir", "HATSIZE_API_KEY", str(tmp_path)):
        assert way in result.err


def test_the_data_directory_comes_from_the_settings_file(hatsize, server, tmp_path, monkeypatch):
    monkeypatch.delenv("HATSIZE_DATA_DIR")
    config = tmp_path / "hatsize.toml"
    config.write_text(f'data_dir = "{tmp_path}"')
    server.answer("GET /health", {"databaseConnectivity": True})
    assert hatsize("-c", str(config), "health").code == 0


def test_a_settings_file_that_cannot_be_read_is_told(hatsize, tmp_path):
    assert "cannot be read" in hatsize("-c", str(tmp_path / "none.toml"), "health").err


def test_a_server_elsewhere_gets_the_api_key(hatsize, monkeypatch):
    monkeypatch.setenv("HATSIZE_SERVER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HATSIZE_API_KEY", "tskey-api-x-y")
    result = hatsize("health")
    assert result.code == 1
    assert "http://127.0.0.1:1" in result.err
    assert "tskey" not in result.err


def test_a_url_that_is_none_is_told(hatsize, monkeypatch):
    monkeypatch.setenv("HATSIZE_SERVER_URL", "ftp://x")
    monkeypatch.setenv("HATSIZE_API_KEY", "k")
    assert "is not a URL" in hatsize("health").err


def test_an_answer_that_is_not_json_is_told(hatsize, server):
    server.answer("GET /health", b"<html>")
    assert "is a Hatsize server there?" in hatsize("health").err
