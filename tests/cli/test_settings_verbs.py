"""The verbs that read settings: configtest, dumpConfig, serve."""

import sys
from types import SimpleNamespace

import pytest
import yaml

from hatsize.hooks.storage import StorageError


@pytest.fixture
def config(tmp_path):
    """A settings file that can be used."""
    path = tmp_path / "hatsize.toml"
    path.write_text('[dns]\nbase_domain = "example.net"\n[database]\nurl = "postgresql://me:hunter2@db/x"')
    return path


@pytest.fixture
def wrong(tmp_path):
    """A settings file with two things wrong."""
    path = tmp_path / "wrong.toml"
    path.write_text('[dns]\nbase_domain = "no domain"\n[log]\nlevl = "info"')
    return path


def test_good_settings_are_ok(hatsize, config):
    assert (hatsize("configtest", "-c", str(config)).out) == "ok\n"
    assert hatsize("configtest", "-c", str(config), "-o", "json").json == {"ok": True, "problems": []}


def test_all_that_is_wrong_is_told_and_exits_2(hatsize, wrong):
    result = hatsize("configtest", "-c", str(wrong))
    assert result.code == 2
    assert [line.split()[0] for line in result.out.splitlines()] == ["dns.base_domain", "log.levl"]
    problems = hatsize("configtest", "-c", str(wrong), "-o", "json").json["problems"]
    assert [problem["key"] for problem in problems] == ["dns.base_domain", "log.levl"]
    assert {"key", "value", "text", "source"} == set(problems[0])


def test_the_settings_in_force_are_printed_without_secrets(hatsize, config):
    result = hatsize("dumpConfig", "-c", str(config))
    assert "hunter2" not in result.out
    assert yaml.safe_load(result.out)["dns"]["base_domain"] == "example.net"
    assert hatsize("dumpConfig", "-c", str(config), "-o", "json").json["dns"]["nameservers"]["global"] == []


def test_a_variable_that_is_no_setting_is_a_warning(hatsize, monkeypatch):
    monkeypatch.setenv("HATSIZE_DNS_BASE_DOMIAN", "example.net")
    result = hatsize("configtest")
    assert (result.code, result.out) == (0, "ok\n")
    assert "HATSIZE_DNS_BASE_DOMIAN is not a setting" in result.err


@pytest.fixture
def started(monkeypatch):
    """The settings that servers were started with."""
    runs = []
    monkeypatch.setitem(
        sys.modules, "hatsize.server.serve", SimpleNamespace(run=lambda settings, _read_again: runs.append(settings))
    )
    return runs


def test_serve_runs_the_server_with_file_variables_and_flags(hatsize, started, config, tmp_path, monkeypatch):
    monkeypatch.setenv("HATSIZE_LOG_LEVEL", "debug")
    words = ["--data-dir", str(tmp_path), "--listen", "127.0.0.1:9", "--server-url", "http://127.0.0.1:9"]
    assert hatsize("serve", "-c", str(config), *words).code == 0
    (settings,) = started
    assert [str(address) for address in settings.listen] == ["127.0.0.1:9"]
    assert (settings.server_url, settings.data_dir) == ("http://127.0.0.1:9", tmp_path)
    assert (settings.dns.base_domain, settings.log.level) == ("example.net", "debug")


def test_serve_does_not_start_with_wrong_settings(hatsize, started, wrong):
    result = hatsize("serve", "-c", str(wrong), "--listen", "nowhere")
    assert result.code == 2
    assert not started
    assert all(key in result.err for key in ("dns.base_domain", "log.levl", "--listen"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(98, "Address already in use"), "cannot run: Address already in use"),
        (PermissionError(13, "Permission denied", "/srv/noise.key"), "/srv/noise.key: Permission denied"),
        (StorageError("the database is newer than this program"), "newer than this program"),
        (ExceptionGroup("several", [StorageError("one"), ExceptionGroup("", [OSError(1, "two")])]), "one; the server"),
    ],
)
def test_a_server_that_cannot_run_says_why_in_one_line(hatsize, monkeypatch, error, told):
    def run(_settings, _read_again):
        raise error

    monkeypatch.setitem(sys.modules, "hatsize.server.serve", SimpleNamespace(run=run))
    result = hatsize("serve")
    assert result.code == 1
    assert told in result.err
    assert result.err.count("\n") == 1


def test_an_error_nobody_expected_is_logged_once_and_shown_by_its_id(hatsize, monkeypatch, caplog):
    def run(_settings, _read_again):
        raise ExceptionGroup("tasks", [KeyError("inner workings")])

    monkeypatch.setitem(sys.modules, "hatsize.server.serve", SimpleNamespace(run=run))
    result = hatsize("serve")
    (record,) = caplog.records
    assert f"bug={record.bug}" in result.err
    assert "Traceback" not in result.err
    assert "inner" not in result.err


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("HATSIZE_PLUGINS_ENABLED", "nonesuch", "nonesuch"),
        ("HATSIZE_PREFIXES_ALLOCATION", "dice", "dice"),
        ("HATSIZE_POLICY_ENGINE", "oracle", "oracle"),
        ("HATSIZE_DATABASE_URL", "paper://shelf", "paper"),
    ],
)
def test_what_no_plugin_supplies_is_told_by_configtest(hatsize, monkeypatch, variable, value, told):
    monkeypatch.setenv(variable, value)
    result = hatsize("configtest")
    assert result.code == 2
    assert told in result.out
    assert result.out.count("\n") == 1
