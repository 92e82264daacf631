"""`hatsize import headscale`: a report, everything or nothing, and no traceback."""

import json
import sqlite3
import stat

import pytest

from hatsize.wire.keys import PrivateKey

TABLES = f"""
CREATE TABLE users (id integer PRIMARY KEY, name text, deleted_at datetime, created_at datetime);
INSERT INTO users VALUES(1, 'anna', NULL, '2025-05-01 10:00:00+00:00');
CREATE TABLE policies (id integer PRIMARY KEY, deleted_at datetime, data text);
INSERT INTO policies VALUES(1, NULL, '{{"acls": [{{"action": "accept", "src": ["anna@"], "dst": ["anna@:*"]}}]}}');
CREATE TABLE nodes (id integer PRIMARY KEY, machine_key text, node_key text, ipv4 text, given_name text, user_id int);
INSERT INTO nodes VALUES(4, 'mkey:{"a" * 64}', 'nodekey:{"b" * 64}', '100.64.0.4', 'laptop', 1);
INSERT INTO nodes VALUES(5, 'mkey:oops', 'nodekey:{"c" * 64}', '100.64.0.5', 'lost', 1);
"""
CONFIG = """
server_url: http://10.0.0.1:8080
listen_addr: 0.0.0.0:8080
noise: {private_key_path: noise.key}
database: {type: sqlite, sqlite: {path: db.sqlite}}
unix_socket: headscale.sock
policy: {mode: database}
prefixes: {v4: 100.64.0.0/10}
dns: {base_domain: tail.example.com}
"""


@pytest.fixture
def headscale(tmp_path):
    """A folder with all of a stopped Headscale."""
    folder = tmp_path / "headscale"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "noise.key").write_text(PrivateKey.generate().text())
    database = sqlite3.connect(folder / "db.sqlite")
    database.executescript(TABLES)
    database.close()
    return folder


@pytest.fixture
def move(hatsize, headscale, tmp_path):
    """Import it into the data directory `hatsize`."""

    def run(*words):
        config, data = str(headscale / "config.yaml"), str(tmp_path / "hatsize")
        return hatsize("import", "headscale", "--config", config, "--data-dir", data, *words)

    return run


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(move, tmp_path):
    told = move("--dry-run")
    assert told.code == 0
    assert "node 5 (lost)" in told.out
    assert "Nothing was changed" in told.out
    assert not (tmp_path / "hatsize").exists()


def test_the_configuration_is_looked_for_where_headscale_looks(hatsize, headscale, tmp_path, monkeypatch):
    line = ("import", "headscale", "--dry-run", "--data-dir", str(tmp_path / "hatsize"))
    monkeypatch.delenv("HEADSCALE_CONFIG", raising=False)
    assert "/etc/headscale/config.yaml" in hatsize(*line).err
    monkeypatch.setenv("HEADSCALE_CONFIG", str(headscale / "config.yaml"))
    assert hatsize(*line).code == 0


def test_everything_is_there_afterwards(move, headscale, tmp_path):
    told = move("-o", "json")
    assert told.json["counts"]["nodes"] == {"found": 2, "imported": 1}
    data = tmp_path / "hatsize"
    assert (data / "noise.key").read_text().strip() == (headscale / "noise.key").read_text()
    assert stat.S_IMODE((data / "noise.key").stat().st_mode) == 0o600
    assert 'base_domain = "tail.example.com"' in (data / "hatsize.toml").read_text()


def test_the_policy_is_in_the_database(move, hatsize, tmp_path):
    move()
    words = ("--data-dir", str(tmp_path / "hatsize"), "--bypass-server-and-access-database-directly", "--force")
    assert "anna@" in hatsize("policy", "get", *words).out


def test_it_may_be_done_again(move):
    move()
    again = move("-o", "json")
    assert (again.code, again.json["written"], again.json["removed"]) == (0, {}, 0)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "db.sqlite").write_bytes(b"rubbish" * 100), "not a database"),
        (lambda folder: (folder / "db.sqlite").unlink(), "--database"),
        (lambda folder: (folder / "noise.key").write_text("rubbish"), "does not hold a private key"),
        (lambda folder: (folder / "config.yaml").write_text("- a"), "is not a Headscale configuration"),
        (
            lambda folder: (folder / "config.yaml").write_text(CONFIG.replace("100.64.0.0/10", "10.0.0.0/8")),
            "prefixes.v4",
        ),
    ],
)
def test_what_cannot_come_over_is_refused_in_words_and_leaves_nothing(move, headscale, tmp_path, damage, words):
    damage(headscale)
    refused = move()
    assert refused.code != 0
    assert words in refused.err
    assert "Traceback" not in refused.err
    assert not (tmp_path / "hatsize" / "hatsize.toml").exists()


def test_a_policy_that_cannot_be_in_force_is_refused_unless_another_is_given(move, headscale, tmp_path):
    database = sqlite3.connect(headscale / "db.sqlite")
    database.execute("UPDATE policies SET data = '{\"nonsense\": 1}'")
    database.commit()
    database.close()
    assert "give another one with --policy" in move().err
    assert not (tmp_path / "hatsize" / "noise.key").exists()
    other = tmp_path / "policy.json"
    other.write_text(json.dumps({"acls": []}))
    assert move("--policy", str(other)).code == 0


def test_another_tailnet_is_not_imported_over(move, headscale):
    move()
    (headscale / "noise.key").write_text(PrivateKey.generate().text())
    assert "holds another tailnet" in move().err


def test_a_running_server_is_refused(hatsize, server, headscale):
    refused = hatsize("import", "headscale", "--config", str(headscale / "config.yaml"))
    assert refused.code == 1
    assert "stop it first" in refused.err
