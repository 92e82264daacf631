"""The settings: where they come from, what is refused, and how that is told."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from hatsize.server.settings import Settings, SettingsError, load_section, load_settings
from hatsize.server.settings_sources import keys_of, unknown_variables, variables
from hatsize.server.settings_values import ListenAddress, format_duration, parse_duration


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hatsize.toml"
    path.write_text(text)
    return path


def refused(config: Path | None = None, environ: dict[str, str] | None = None, **flags: object) -> dict[str, str]:
    """What is said of each wrong key."""
    with pytest.raises(SettingsError) as error:
        load_settings(config, environ or {}, flags)
    return {problem.key: str(problem) for problem in error.value.problems}


def read_or_told(read, text):
    """What the text is, or the refusal that says what to give."""
    try:
        return read(text)
    except ValueError as error:
        told = str(error)
    assert "give" in told
    return told


def test_a_server_that_is_told_nothing_listens_on_both_families_and_hands_out_both():
    settings = load_settings(environ={})
    assert [str(address) for address in settings.listen] == ["0.0.0.0:8080", "[::]:8080"]
    assert (settings.prefixes.v4, settings.prefixes.v6) == ("100.64.0.0/10", "fd7a:115c:a1e0::/48")
    assert settings.dns.base_domain == "tailnet.internal"
    assert settings.policy.mode == "database"


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path):
    config = written(tmp_path, 'server_url = "http://file:1"\n[dns]\nbase_domain = "file.net"\n[log]\nlevel = "debug"')
    environ = {"HATSIZE_DNS_BASE_DOMAIN": "variable.net", "HATSIZE_LOG_LEVEL": "error"}
    settings = load_settings(config, environ, {"log.level": "warning"})
    assert settings.server_url == "http://file:1"
    assert settings.dns.base_domain == "variable.net"
    assert settings.log.level == "warning"


def test_every_key_has_a_variable_of_its_own():
    assert len(variables(Settings)) == len(keys_of(Settings))
    assert variables(Settings)["HATSIZE_DNS_NAMESERVERS_GLOBAL"] == "dns.nameservers.global"


def test_lists_and_tables_come_out_of_variables():
    environ = {
        "HATSIZE_LISTEN": "127.0.0.1:80, [::1]:80",
        "HATSIZE_DNS_NAMESERVERS_GLOBAL": "1.1.1.1,https://dns.example/dns-query",
        "HATSIZE_DNS_NAMESERVERS_SPLIT": '{"corp.example": ["10.0.0.53"]}',
        "HATSIZE_DNS_EXTRA_RECORDS": '[{"name": "Grafana.corp.example.", "value": "100.64.0.3"}]',
        "HATSIZE_STUN_ENABLED": "false",
    }
    settings = load_settings(None, environ)
    assert settings.listen == (ListenAddress("127.0.0.1", 80), ListenAddress("::1", 80))
    assert settings.dns.nameservers.global_ == ("1.1.1.1", "https://dns.example/dns-query")
    assert settings.dns.nameservers.split == {"corp.example": ("10.0.0.53",)}
    assert settings.dns.extra_records[0].name == "grafana.corp.example"
    assert not settings.stun.enabled


def test_everything_wrong_is_told_at_once_with_key_value_source_and_mend(tmp_path):
    config = written(tmp_path, 'listen = "here"\n[dns]\nmagic_dns = "perhaps"\n[tls]\ncert_file = "/cert.pem"')
    told = refused(config, {"HATSIZE_PREFIXES_V4": "10.0.0.0/8"}, server_url="example.com")
    assert set(told) == {"listen[0]", "dns.magic_dns", "tls.cert_file", "prefixes.v4", "server_url"}
    assert told["listen[0]"].startswith('listen[0] = "here" (hatsize.toml): ')
    assert "(HATSIZE_PREFIXES_V4)" in told["prefixes.v4"]
    assert "100.64.0.0/10" in told["prefixes.v4"]
    assert told["tls.cert_file"].endswith("set tls.key_file too")
    assert "(--server-url)" in told["server_url"]


def test_a_misspelt_key_is_refused_and_the_right_one_named(tmp_path):
    told = refused(written(tmp_path, '[dns]\nbase_domian = "secret-by-accident"'))
    assert told == {
        "dns.base_domian": "dns.base_domian (hatsize.toml): is not a setting; did you mean dns.base_domain?"
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dns.base_domain", "not a domain"),
        ("dns.override_local_dns", True),
        ("dns.nameservers.global", ["1.1.1"]),
        ("prefixes.v6", "fd00::/48"),
        ("trusted_proxies", ["0.0.0.0/0"]),
        ("log.level", "loud"),
        ("derp.region_id", 0),
        ("derp.update_frequency", 5),
        ("node.expiry", "soon"),
        ("policy.mode", "file"),
        ("api.socket_mode", "rwx"),
        ("database.url", "my.db"),
        ("plugins.oidc", 3),
        ("server_url", "https://example.com/path"),
    ],
)
def test_a_wrong_value_is_refused_with_a_mend(key, value):
    (told,) = refused(None, {}, **{key: value}).values()
    assert told.startswith(key)
    assert any(word in told for word in ("give", "set", "needs", "should be", "write")), told


def test_a_server_below_its_own_magic_domain_is_refused():
    told = refused(None, {}, server_url="https://hs.example.com", **{"dns.base_domain": "example.com"})
    assert "hs.example.com" in told["dns.base_domain"]


def test_no_secret_is_shown_in_what_is_told(tmp_path):
    told = refused(None, {"HATSIZE_DATABASE_URL": "postgres:hunter2"})
    assert "hunter2" not in told["database.url"]
    settings = load_settings(None, {"HATSIZE_DATABASE_URL": "postgresql://me:hunter2@db/x"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_a_file_that_is_not_there_or_not_toml_is_told_in_one_line(tmp_path):
    assert "No such file" in refused(tmp_path / "absent.toml")["config"]
    assert "is not TOML" in refused(written(tmp_path, "listen = "))["config"]


def test_a_policy_file_means_file_mode():
    assert load_settings(None, {}, {"policy.file": "/etc/hatsize/policy.hujson"}).policy.mode == "file"


def test_variables_that_are_no_settings_are_listed_but_do_no_harm():
    environ = {
        "HATSIZE_SERVICE_HOST": "10.0.0.1",
        "HATSIZE_API_KEY": "x",
        "HATSIZE_PLUGINS_OIDC_ISSUER": "y",
        "HOME": "/",
    }
    assert unknown_variables(environ, Settings) == ["HATSIZE_SERVICE_HOST"]
    load_settings(None, environ)


class OidcSection(BaseModel, extra="forbid"):
    issuer: str
    client_secret: SecretStr = SecretStr("")


def test_a_plugins_section_is_checked_by_the_plugins_own_model(tmp_path):
    settings = load_settings(
        written(tmp_path, '[plugins]\nenabled = ["oidc"]\n[plugins.oidc]\nissuer = "https://id"'), {}
    )
    section = load_section(settings, "oidc", OidcSection, {"HATSIZE_PLUGINS_OIDC_CLIENT_SECRET": "s3cret"})
    assert settings.plugins.enabled == ("oidc",)
    assert section.issuer == "https://id"
    assert section.client_secret.get_secret_value() == "s3cret"


def test_a_wrong_plugin_section_is_told_with_its_whole_key():
    with pytest.raises(SettingsError) as error:
        load_section(load_settings(environ={}), "oidc", OidcSection, {})
    assert str(error.value) == "plugins.oidc.issuer: is missing; give it a value"


def test_the_data_directory_follows_the_one_who_runs_it(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.environ", {"XDG_STATE_HOME": "/home/me/state", "HOME": "/home/me"})
    assert load_settings(environ={}).socket.name == "hatsize.sock"


@pytest.mark.parametrize(("text", "hours"), [("90d", 2160), ("1h30m", 1.5), ("0", 0), ("2w", 336), ("1y", 8760)])
def test_durations_are_read_as_people_write_them(text, hours):
    assert parse_duration(text) == timedelta(hours=hours)


@settings(deadline=None)
@given(
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9999)).map(
        lambda d: d - d % timedelta(milliseconds=1)
    )
)
def test_a_duration_survives_being_written_and_read(duration):
    assert parse_duration(format_duration(duration)) == duration


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_duration_or_a_clear_refusal(text):
    assert isinstance(read_or_told(parse_duration, text), timedelta | str)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_address_or_a_clear_refusal(text):
    address = read_or_told(ListenAddress.parse, text)
    assert isinstance(address, str) or ListenAddress.parse(str(address)) == address


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=4))
def test_any_tree_is_settings_or_a_clear_refusal(tree):
    flags = {key.replace(".", "_"): value for key, value in tree.items()}
    assert tree == {} or set(refused(None, {}, **flags))


def test_resolvers_of_single_domains_come_from_a_file_too(tmp_path):
    path = tmp_path / "hatsize.toml"
    path.write_text('[dns.nameservers.split]\n"corp.example.com" = ["10.0.0.53"]\n')
    assert load_settings(path, environ={}).dns.nameservers.split == {"corp.example.com": ("10.0.0.53",)}
