"""Every setting of Headscale, to 0.30, and what has become of it here. `docs/headscale.md` has it as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hatsize.importing.configuration import FORMER


class Fate(StrEnum):
    HERE = "here"
    """There is such a setting here; the text names it."""
    CARRIED = "carried"
    """What it leads to comes over by another way, which the text tells."""
    WAITING = "waiting"
    """It is a plugin's setting, written for it and in force once that is enabled; the text names it."""
    NEEDLESS = "needless"
    """There is none, and nothing is lost; the text says why."""
    LOST = "lost"
    """It does not come over; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    fate: Fate
    text: str
    plugin: str = ""
    """Whose setting it is, where it is a plugin's."""


HERE = {
    "server_url": "server_url",
    "listen_addr": "listen",
    "trusted_proxies": "trusted_proxies",
    "prefixes.v4": "prefixes.v4",
    "prefixes.v6": "prefixes.v6",
    "prefixes.allocation": "prefixes.allocation",
    "derp.server.enabled": "derp.enabled",
    "derp.server.region_id": "derp.region_id",
    "derp.server.region_code": "derp.region_code",
    "derp.server.region_name": "derp.region_name",
    "derp.server.verify_clients": "derp.verify_clients",
    "derp.server.stun_listen_addr": "stun.listen",
    "derp.server.automatically_add_embedded_derp_region": "derp.in_map",
    "derp.server.ipv4": "derp.ipv4",
    "derp.server.ipv6": "derp.ipv6",
    "derp.urls": "derp.urls",
    "derp.paths": "derp.paths",
    "derp.auto_update_enabled": "derp.auto_update",
    "derp.update_frequency": "derp.update_frequency",
    "node.expiry": "node.expiry",
    "node.ephemeral.inactivity_timeout": "node.ephemeral_timeout",
    "node.routes.ha.probe_interval": "node.routes.ha.probe_interval",
    "node.routes.ha.probe_timeout": "node.routes.ha.probe_timeout",
    "preauth_keys.revoked_retention": "preauth_keys.revoked_retention",
    "acme_url": "tls.acme.url",
    "acme_email": "tls.acme.email",
    "tls_letsencrypt_hostname": "tls.acme.domains",
    "tls_letsencrypt_challenge_type": "tls.acme.challenge",
    "tls_letsencrypt_listen": "tls.acme.listen",
    "tls_cert_path": "tls.cert_file",
    "tls_key_path": "tls.key_file",
    "log.level": "log.level",
    "log.format": "log.format",
    "dns.magic_dns": "dns.magic_dns",
    "dns.base_domain": "dns.base_domain",
    "dns.override_local_dns": "dns.override_local_dns",
    "dns.nameservers.global": "dns.nameservers.global",
    "dns.nameservers.split": "dns.nameservers.split",
    "dns.search_domains": "dns.search_domains",
    "dns.extra_records": "dns.extra_records",
    "dns.extra_records_path": "dns.extra_records_path",
    "unix_socket_permission": "api.socket_mode",
    "logtail.enabled": "logtail.enabled",
    "taildrop.enabled": "taildrop.enabled",
    "auto_update.enabled": "auto_update.enabled",
    "tuning.register_cache_expiration": "logins.lifetime",
    "tuning.register_cache_max_entries": "logins.limit",
}
CARRIED = {
    "noise.private_key_path": "the key comes over as `noise.key` in the data directory",
    "private_key_path": "the key of clients before 1.32, which no client here has",
    "derp.server.private_key_path": "the key comes over as `derp.key` in the data directory",
    "database.type": "its rows come over, into the database that `database.url` names",
    "database.sqlite.path": "its rows come over, into the database that `database.url` names",
    "database.postgres": "its rows come over, into the database that `database.url` names",
    "policy.mode": "the policy in force comes over into the database; `policy.file` would keep it in a file",
    "policy.path": "the policy in force comes over into the database; `policy.file` would keep it in a file",
    "ip_prefixes": "they come over as `prefixes.v4` and `prefixes.v6`",
}
NEEDLESS = {
    "disable_check_updates": "the server asks nobody for updates",
    "unix_socket": "the socket is `hatsize.sock` in the data directory",
    "database.debug": "metrics tell how long the database takes",
    "database.gorm": "there is no GORM here",
    "database.sqlite.write_ahead_log": "it is always on",
    "database.sqlite.wal_autocheckpoint": "it is SQLite's own, 1000 pages",
    "database.postgres.max_open_conns": "the server keeps a few connections, for it reads from memory",
    "database.postgres.max_idle_conns": "the server keeps a few connections, for it reads from memory",
    "database.postgres.conn_max_idle_time_secs": "the server keeps a few connections, for it reads from memory",
    "cli.timeout": "the command line waits a minute at the most",
    "tuning": "there are no such queues and batches: what has changed is told at once",
    "tls_letsencrypt_cache_dir": "certificates are kept in the data directory; the first one is asked for anew",
    "grpc_listen_addr": "the command line asks the HTTP API, on the server's own port",
    "grpc_allow_insecure": "the command line asks the HTTP API, on the server's own port",
    "dns.use_username_in_magic_dns": "names are NODE.DOMAIN, without the user",
    "dns_config.use_username_in_magic_dns": "names are NODE.DOMAIN, without the user",
    "oidc.only_start_if_oidc_is_available": "the server always starts, and the log says when a provider is away",
    "oidc.pkce": "it is always on, with S256",
    "oidc.expiry": "machines expire by `node.expiry`",
    "oidc.strip_email_domain": "users keep their names, and are known by their subject at the provider",
    "oidc.map_legacy_users": "users keep their names, and are known by their subject at the provider",
    "debug": "it is a switch of Headscale's own program",
}
LOST = {
    "randomize_client_port": "write randomizeClientPort in the policy",
    "cli.address": "set HATSIZE_SERVER_URL where the command line is used",
    "cli.api_key": "set HATSIZE_API_KEY where the command line is used",
    "cli.insecure": "set HATSIZE_SERVER_CA or HATSIZE_SERVER_PIN where the command line is used",
}
WAITING = {
    "metrics_listen_addr": ("metrics", "listen"),
    "oidc.issuer": ("oidc", "issuer"),
    "oidc.client_id": ("oidc", "client_id"),
    "oidc.client_secret": ("oidc", "client_secret"),
    "oidc.client_secret_path": ("oidc", "client_secret_file"),
    "oidc.use_expiry_from_token": ("oidc", "node_expiry"),
    "oidc.scope": ("oidc", "scopes"),
    "oidc.email_verified_required": ("oidc", "unverified_email"),
    "oidc.extra_params": ("oidc", "authorize"),
    "oidc.allowed_domains": ("oidc", "allowed_domains"),
    "oidc.allowed_users": ("oidc", "allowed_users"),
    "oidc.allowed_groups": ("oidc", "allowed_groups"),
}
"""Settings of plugins: whose, and their names there."""
PLUGINS = {
    "metrics": "its settings are written, and in force once `metrics` is in `plugins.enabled`",
    "oidc": "its settings are written, and in force once `oidc` is in `plugins.enabled`: look at who may log in",
}
COUNTERPARTS: Mapping[str, Counterpart] = {
    key: Counterpart(fate, text)
    for fate, texts in {Fate.HERE: HERE, Fate.CARRIED: CARRIED, Fate.NEEDLESS: NEEDLESS, Fate.LOST: LOST}.items()
    for key, text in texts.items()
} | {key: Counterpart(Fate.WAITING, name, plugin) for key, (plugin, name) in WAITING.items()}
"""By the setting of Headscale, or that of a whole section."""
NAMES: Mapping[str, str] = {key: key for key in COUNTERPARTS} | {former: present for present, former in FORMER.items()}
"""The present names of settings and sections, by the names they have or had."""


def entry_of(setting: str) -> str | None:
    """The key in COUNTERPARTS that speaks of a setting of any release; None where none does."""
    return _entry(lambda name: f"{setting}.".startswith(f"{name}."))


def entry_of_variable(variable: str) -> str | None:
    """The key in COUNTERPARTS that speaks of what a `HEADSCALE_…` variable sets; None where none does."""
    given = variable.removeprefix("HEADSCALE_").lower()
    return _entry(lambda name: f"{given}_".startswith(f"{name.replace('.', '_')}_"))


def _entry(fits: Callable[[str], bool]) -> str | None:
    found = max(filter(fits, NAMES), key=len, default="")
    present = NAMES.get(found, found)
    if present in COUNTERPARTS:
        return present
    return max((key for key in COUNTERPARTS if present.startswith(f"{key}.")), key=len, default=None)
