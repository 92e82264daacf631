"""Every setting of Headscale: it comes over, or the import and docs/headscale.md say what has become of it."""

import re
from pathlib import Path

import pytest
import yaml

from hatsize.importing.counterparts import COUNTERPARTS, HERE, Fate, entry_of
from hatsize.server.settings import Settings
from hatsize.server.settings_sources import keys_of

PAGE = Path(__file__).parents[2] / "docs" / "headscale.md"
LISTED = """
server_url listen_addr metrics_listen_addr trusted_proxies noise.private_key_path disable_check_updates unix_socket
unix_socket_permission prefixes.v4 prefixes.v6 prefixes.allocation derp.server.enabled derp.server.region_id
derp.server.region_code derp.server.region_name derp.server.verify_clients derp.server.stun_listen_addr
derp.server.private_key_path derp.server.automatically_add_embedded_derp_region derp.server.ipv4 derp.server.ipv6
derp.urls derp.paths derp.auto_update_enabled derp.update_frequency node.expiry node.ephemeral.inactivity_timeout
node.routes.ha.probe_interval node.routes.ha.probe_timeout preauth_keys.revoked_retention database.type database.debug
database.gorm.prepare_stmt database.gorm.parameterized_queries database.gorm.skip_err_record_not_found
database.gorm.slow_threshold database.sqlite.path database.sqlite.write_ahead_log database.sqlite.wal_autocheckpoint
database.postgres.host database.postgres.port database.postgres.name database.postgres.user database.postgres.pass
database.postgres.ssl database.postgres.max_open_conns database.postgres.max_idle_conns
database.postgres.conn_max_idle_time_secs acme_url acme_email tls_letsencrypt_hostname tls_letsencrypt_cache_dir
tls_letsencrypt_challenge_type tls_letsencrypt_listen tls_cert_path tls_key_path log.level log.format policy.mode
policy.path dns.magic_dns dns.base_domain dns.override_local_dns dns.nameservers.global dns.nameservers.split
dns.search_domains dns.extra_records dns.extra_records_path cli.address cli.api_key cli.timeout cli.insecure
oidc.only_start_if_oidc_is_available oidc.issuer oidc.client_id oidc.client_secret oidc.client_secret_path
oidc.use_expiry_from_token oidc.scope oidc.email_verified_required oidc.extra_params oidc.allowed_domains
oidc.allowed_users oidc.allowed_groups oidc.pkce.enabled oidc.pkce.method logtail.enabled taildrop.enabled
auto_update.enabled tuning.notifier_send_timeout tuning.batch_change_delay tuning.node_mapsession_buffered_chan_size
tuning.batcher_workers tuning.register_cache_expiration tuning.register_cache_max_entries tuning.node_store_batch_size
tuning.node_store_batch_timeout randomize_client_port oidc.expiry oidc.strip_email_domain oidc.map_legacy_users
dns.use_username_in_magic_dns
"""
"""Those of 0.30, and those it refuses to start with."""
KEYS = LISTED.split()
BASE = "dns: {base_domain: example.net, nameservers: {global: [9.9.9.9]}}"
SAMPLES = {
    "server_url": ("https://hs.example.com", "https://hs.example.com"),
    "listen_addr": ("127.0.0.1:9000", ["127.0.0.1:9000"]),
    "trusted_proxies": (["10.0.0.0/8"], ["10.0.0.0/8"]),
    "prefixes.v4": ("100.64.0.0/16", "100.64.0.0/16"),
    "prefixes.v6": ("fd7a:115c:a1e0:1::/64", "fd7a:115c:a1e0:1::/64"),
    "prefixes.allocation": ("random", "random"),
    "derp.server.enabled": (True, True),
    "derp.server.region_id": (901, 901),
    "derp.server.region_code": ("own", "own"),
    "derp.server.region_name": ("Our own", "Our own"),
    "derp.server.verify_clients": (False, False),
    "derp.server.stun_listen_addr": ("0.0.0.0:3479", ["0.0.0.0:3479", "[::]:3479"]),
    "derp.server.automatically_add_embedded_derp_region": (False, False),
    "derp.server.ipv4": ("192.0.2.1", "192.0.2.1"),
    "derp.server.ipv6": ("2001:db8::1", "2001:db8::1"),
    "derp.urls": (["https://derp.example.com/map"], ["https://derp.example.com/map"]),
    "derp.paths": (["/etc/derp.yaml"], ["/etc/derp.yaml"]),
    "derp.auto_update_enabled": (False, False),
    "derp.update_frequency": ("24h", "1d"),
    "node.expiry": ("180d", "180d"),
    "node.ephemeral.inactivity_timeout": ("40m", "40m"),
    "node.routes.ha.probe_interval": ("20s", "20s"),
    "node.routes.ha.probe_timeout": ("4s", "4s"),
    "preauth_keys.revoked_retention": ("24h", "1d"),
    "acme_url": ("https://acme.example.com/directory", "https://acme.example.com/directory"),
    "acme_email": ("root@example.com", "root@example.com"),
    "tls_letsencrypt_hostname": ("hs.example.org", ["hs.example.org"]),
    "tls_letsencrypt_challenge_type": ("TLS-ALPN-01", "tls-alpn-01"),
    "tls_letsencrypt_listen": (":http", "0.0.0.0:80"),
    "tls_cert_path": ("/etc/tls.crt", "/etc/tls.crt"),
    "tls_key_path": ("/etc/tls.key", "/etc/tls.key"),
    "log.level": ("warn", "warning"),
    "log.format": ("json", "json"),
    "dns.magic_dns": (False, False),
    "dns.base_domain": ("example.org", "example.org"),
    "dns.override_local_dns": (False, False),
    "dns.nameservers.global": (["1.1.1.1"], ["1.1.1.1"]),
    "dns.nameservers.split": ({"corp.example.com": ["10.0.0.53"]}, {"corp.example.com": ["10.0.0.53"]}),
    "dns.search_domains": (["corp.example.com"], ["corp.example.com"]),
    "dns.extra_records": (
        [{"name": "a.example.net", "type": "A", "value": "100.64.0.3"}],
        [{"name": "a.example.net", "type": "A", "value": "100.64.0.3"}],
    ),
    "dns.extra_records_path": ("/etc/records.json", "/etc/records.json"),
    "unix_socket_permission": ("0770", "0770"),
    "logtail.enabled": (True, True),
    "taildrop.enabled": (False, False),
    "auto_update.enabled": (True, True),
    "tuning.register_cache_expiration": ("20m", "20m"),
    "tuning.register_cache_max_entries": (99, 99),
}
"""A value of each setting that comes over, and what it is then."""
TOGETHER = {
    "derp.server.stun_listen_addr": {"derp.server.enabled": True},
    "acme_url": {"tls_letsencrypt_hostname": "hs.example.org"},
    "acme_email": {"tls_letsencrypt_hostname": "hs.example.org"},
    "tls_letsencrypt_challenge_type": {"tls_letsencrypt_hostname": "hs.example.org"},
    "tls_letsencrypt_listen": {"tls_letsencrypt_hostname": "hs.example.org"},
    "tls_cert_path": {"tls_key_path": "/etc/tls.key"},
    "tls_key_path": {"tls_cert_path": "/etc/tls.crt"},
}
"""Settings that say nothing without another one."""


def put(tree, key, value):
    """A value in a tree of sections, by its dotted path."""
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value


def at(settings, key):
    """A setting as it is written, by its dotted path."""
    value = settings.model_dump(mode="json", by_alias=True)
    for name in key.split("."):
        value = value[name]
    return value


def configuration(key, value):
    tree = yaml.safe_load(BASE)
    for also, its in {**TOGETHER.get(key, {}), key: value}.items():
        put(tree, also, its)
    return yaml.safe_dump(tree)


def rows():
    """The table of the page: what it says of each setting."""
    section = PAGE.read_text().partition("## Settings, key by key\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([a-z0-9_.]+)` \| (.+) \|$", section, re.MULTILINE)
    assert len(found) == len(dict(found)), "a setting is there twice"
    return dict(found)


@pytest.mark.parametrize("key", KEYS)
def test_the_import_knows_every_setting(key):
    assert entry_of(key) is not None


@pytest.mark.parametrize("key", HERE)
def test_a_setting_with_a_counterpart_comes_over(mapped, key):
    value, expected = SAMPLES[key]
    settings, _ = mapped(configuration(key, value))
    assert at(settings, HERE[key]) == expected


def test_every_counterpart_is_a_setting_here():
    assert set(HERE.values()) <= set(keys_of(Settings))


@pytest.mark.parametrize("key", [key for key in KEYS if COUNTERPARTS[entry_of(key)].fate in {Fate.NEEDLESS, Fate.LOST}])
def test_the_report_says_what_becomes_of_a_setting_without_one(mapped, key):
    _, told = mapped(configuration(key, "1"))
    entry = entry_of(key)
    assert f"setting {entry}: {COUNTERPARTS[entry].text}" in told


def test_the_page_has_a_row_for_every_setting():
    assert list(rows()) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_the_page_says_what_the_import_does(key):
    counterpart = COUNTERPARTS[entry_of(key)]
    if counterpart.fate is Fate.HERE:
        assert rows()[key].startswith(f"`{counterpart.text}`")
    elif counterpart.fate is Fate.WAITING:
        assert rows()[key].startswith(f"`{counterpart.text}` of the plugin {counterpart.plugin}")
    else:
        assert rows()[key] == ("" if counterpart.fate is Fate.CARRIED else "none: ") + counterpart.text
