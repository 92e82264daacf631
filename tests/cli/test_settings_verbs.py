"""The verbs that read settings: configtest, dumpConfig, serve."""

import sys
from types import SimpleNamespace

import pytest
import yaml


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


@pytest.fixture
def started(monkeypatch):
    """The settings that servers were started with."""
    runs = []
    monkeypatch.setitem(sys.modules, "hatsize.server.serve", SimpleNamespace(run=runs.append))
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
