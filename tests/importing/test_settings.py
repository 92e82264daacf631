"""Headscale's configuration, of the present and of former forms, as settings."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from hatsize.importing.configuration import Configuration, database_of, read_configuration
from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.toml import as_toml

FULL = """
server_url: https://hs.example.com
listen_addr: 0.0.0.0:443
metrics_listen_addr: 127.0.0.1:9090
noise: {private_key_path: noise.key}
prefixes: {v4: 100.64.0.0/16, v6: "fd7a:115c:a1e0::/48", allocation: random}
trusted_proxies: [10.0.0.0/8]
tls_letsencrypt_hostname: hs.example.com
tls_letsencrypt_listen: ":http"
tls_letsencrypt_challenge_type: HTTP-01
acme_email: root@example.com
node:
  expiry: 180d
  ephemeral: {inactivity_timeout: 30m}
  routes: {ha: {probe_interval: 20s, probe_timeout: 4s}}
derp:
  server: {enabled: true, region_id: 901, region_code: own, stun_listen_addr: "0.0.0.0:3479", verify_clients: false}
  urls: [https://derp.example.com/map]
  paths: [derp.yaml]
  auto_update_enabled: false
  update_frequency: 24h
dns:
  base_domain: tail.example.net
  nameservers:
    global: [1.1.1.1, "https://dns.nextdns.io/abc", tls-scheme]
    split: {corp.example.com: [10.0.0.53]}
  search_domains: [corp.example.com]
  extra_records: [{name: grafana.tail.example.net, type: A, value: 100.64.0.3}]
unix_socket_permission: "0770"
oidc: {issuer: "https://id.example.com", client_id: hs, client_secret: hush}
tuning: {register_cache_expiration: 20m, batch_change_delay: 800ms}
log: {level: trace, format: json}
taildrop: {enabled: false}
"""


def test_everything_that_has_a_counterpart_comes_over(mapped, tmp_path):
    settings, _ = mapped(FULL)
    plain = settings.model_dump(mode="json", by_alias=True)
    assert plain["server_url"] == "https://hs.example.com"
    assert plain["listen"] == ["0.0.0.0:443", "[::]:443"]
    assert plain["prefixes"] == {"v4": "100.64.0.0/16", "v6": "fd7a:115c:a1e0::/48", "allocation": "random"}
    assert plain["node"]["expiry"] == "180d"
    assert plain["node"]["routes"]["ha"] == {"probe_interval": "20s", "probe_timeout": "4s"}
    assert plain["tls"]["acme"]["domains"] == ["hs.example.com"]
    assert plain["tls"]["acme"]["listen"] == "0.0.0.0:80"
    assert plain["stun"] == {"enabled": True, "listen": ["0.0.0.0:3479", "[::]:3479"]}
    assert plain["derp"]["region_id"] == 901
    assert plain["derp"]["paths"] == [str(tmp_path / "derp.yaml")]
    assert not plain["derp"]["verify_clients"]
    assert plain["dns"]["nameservers"] == {
        "global": ["1.1.1.1", "https://dns.nextdns.io/abc"], "split": {"corp.example.com": ["10.0.0.53"]},
    }  # fmt: skip
    assert plain["dns"]["override_local_dns"]
    assert plain["dns"]["extra_records"][0]["value"] == "100.64.0.3"
    assert plain["logins"]["lifetime"] == "20m"
    assert plain["log"] == {"level": "debug", "format": "json"}
    assert plain["api"]["socket_mode"] == "0770"
    assert not plain["taildrop"]["enabled"]


def test_what_has_none_is_told_with_a_mend_and_without_secrets(mapped):
    _, told = mapped(FULL)
    assert [line.partition(":")[0] for line in told] == [
        "resolver tls-scheme", "setting tuning", "plugin metrics", "plugin oidc",
    ]  # fmt: skip
    assert "hush" not in str(told)


def test_the_keys_of_former_releases_are_known(mapped):
    settings, told = mapped(
        """
        server_url: http://10.0.0.1:8080
        private_key_path: private.key
        ip_prefixes: [fd7a:115c:a1e0::/48, 100.64.0.0/10]
        db_type: sqlite3
        db_path: /var/lib/headscale/db.sqlite
        acl_policy_path: ""
        log_level: warn
        ephemeral_node_inactivity_timeout: 40m
        dns_config:
          magic_dns: true
          base_domain: example.net
          nameservers: [9.9.9.9]
          override_local_dns: false
          restricted_nameservers: {a.example.org: [10.1.1.1]}
          domains: [b.example.org]
        """
    )
    plain = settings.model_dump(mode="json", by_alias=True)
    assert (plain["dns"]["base_domain"], plain["dns"]["override_local_dns"]) == ("example.net", False)
    assert plain["dns"]["nameservers"]["split"] == {"a.example.org": ["10.1.1.1"]}
    assert (plain["prefixes"]["v4"], plain["log"]["level"]) == ("100.64.0.0/10", "warning")
    assert plain["node"]["ephemeral_timeout"] == "40m"
    assert told == []


def test_variables_go_before_the_file(mapped):
    settings, _ = mapped(FULL, HEADSCALE_SERVER_URL="https://other.example.com")
    assert settings.server_url == "https://other.example.com"


def test_what_variables_set_is_told_of_too(mapped):
    _, told = mapped(
        "dns: {base_domain: example.net}",
        HEADSCALE_OIDC_CLIENT_SECRET="hush",
        HEADSCALE_DEBUG_PROFILING_ENABLED="1",
        HEADSCALE_CONFIG="/etc/headscale/config.yaml",
        HEADSCALE_DATABASE_POSTGRES_MAX_OPEN_CONNS="3",
        HEADSCALE_NONESUCH="1",
    )
    assert [line.partition(":")[0] for line in told] == [
        "setting database.postgres.max_open_conns", "setting debug", "plugin oidc", "setting HEADSCALE_NONESUCH",
    ]  # fmt: skip
    assert "hush" not in str(told)


def test_a_resolver_that_clients_cannot_ask_stays_behind(mapped):
    settings, told = mapped("dns: {nameservers: {global: [9.9.9.9, 100.100.100.100]}}")
    assert settings.dns.nameservers.global_ == ("9.9.9.9",)
    assert "where clients answer themselves" in told[0]


@pytest.mark.parametrize(
    ("given", "listens"),
    [
        (":8080", ["0.0.0.0:8080", "[::]:8080"]),
        ("0.0.0.0:8080", ["0.0.0.0:8080", "[::]:8080"]),
        ("[::]:https", ["0.0.0.0:443", "[::]:443"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("[2001:db8::1]:80", ["[2001:db8::1]:80"]),
    ],
)
def test_a_wildcard_of_either_family_is_one_of_both_as_in_go(mapped, given, listens):
    settings, _ = mapped(f'listen_addr: "{given}"')
    assert list(map(str, settings.listen)) == listens


def test_a_misspelt_setting_is_named(mapped):
    _, told = mapped("dns: {base_domian: example.net}")
    assert told == ["setting dns.base_domian: Headscale has no such setting that is known here"]


def test_ephemeral_nodes_are_removed_as_early_as_headscale_did_where_its_file_says_nothing(mapped):
    assert mapped("{dns: {base_domain: example.net}}")[0].node.ephemeral_timeout.total_seconds() == 120


def test_one_of_the_two_times_of_probes_has_headscales_default_beside_it(mapped):
    settings, _ = mapped("node: {routes: {ha: {probe_timeout: 7s}}}")
    ha = settings.node.routes.ha
    assert (ha.probe_interval.total_seconds(), ha.probe_timeout.total_seconds()) == (10, 7)


def test_one_family_alone_stays_alone(mapped):
    settings, _ = mapped("prefixes: {v4: 100.64.0.0/10}")
    assert (settings.prefixes.v4, settings.prefixes.v6) == ("100.64.0.0/10", "")


@pytest.mark.parametrize(
    ("text", "words"), [(":\n  - {", "is not YAML"), ("just words", "is not a Headscale configuration")]
)
def test_a_file_that_is_no_configuration_is_refused_in_words(tmp_path, text, words):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ImportRefusedError, match=words):
        read_configuration(tmp_path / "config.yaml")


def test_the_database_is_where_headscale_looks_for_it():
    def of(tree):
        return database_of(Configuration(tree, Path("/etc/headscale/config.yaml")))

    assert of({"database": {"sqlite": {"path": "db.sqlite"}}}) == "/etc/headscale/db.sqlite"
    postgres = of(
        {"db_type": "postgres", "db_host": "db", "db_port": 5432, "db_name": "hs", "db_user": "u", "db_pass": 1}
    )
    assert postgres == URL.create("postgresql+psycopg", "u", "1", "db", 5432, "hs", query={"sslmode": "prefer"})
    with pytest.raises(ImportRefusedError, match="names no database"):
        of({})


VALUES = st.recursive(
    st.text() | st.integers(-(2**60), 2**60) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_what_is_written_as_toml_reads_back(tree):
    assert tomllib.loads(as_toml(tree)) == tree
