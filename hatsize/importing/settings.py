"""Headscale's configuration as settings of Hatsize: a tree of tables, with only what differs from doing nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from hatsize.importing.configuration import Configuration, as_list
from hatsize.importing.counterparts import COUNTERPARTS, PLUGINS, Counterpart, Fate, entry_of, entry_of_variable
from hatsize.importing.findings import Findings
from hatsize.importing.listening import listening, listening_once
from hatsize.importing.plugins import plugin_settings
from hatsize.tailnet.commands.dns_forms import checked_resolver
from hatsize.tailnet.errors import InvalidError

Tree = dict[str, Any]

LEVELS = {"trace": "debug", "debug": "debug", "info": "info", "warn": "warning", "warning": "warning"}
EPHEMERAL_TIMEOUT = "120s"
PROBES = {"probe_interval": "10s", "probe_timeout": "5s"}


def settings_of(configuration: Configuration, findings: Findings) -> Tree:
    """The settings; what has no counterpart is told of (`hatsize.importing.counterparts`)."""
    tree = _pruned({
        "server_url": configuration.get("server_url"),
        "listen": listening(configuration.get("listen_addr")),
        "trusted_proxies": configuration.get("trusted_proxies"),
        "dns": _dns(configuration, findings),
        "prefixes": _prefixes(configuration),
        "stun": _stun(configuration),
        "derp": _derp(configuration),
        "tls": _tls(configuration),
        "log": _log(configuration),
        "node": _node(configuration),
        "preauth_keys": {"revoked_retention": _duration(configuration, "preauth_keys.revoked_retention")},
        "logins": {
            "lifetime": _duration(configuration, "tuning.register_cache_expiration"),
            "limit": configuration.get("tuning.register_cache_max_entries"),
        },
        "api": {"socket_mode": _mode(configuration)},
        "taildrop": {"enabled": _flag(configuration, "taildrop.enabled")},
        "logtail": {"enabled": _flag(configuration, "logtail.enabled")},
        "auto_update": {"enabled": _flag(configuration, "auto_update.enabled")},
        "plugins": plugin_settings(configuration),
    })  # fmt: skip
    _tell_of_the_rest(configuration, findings)
    return tree


def _dns(configuration: Configuration, findings: Findings) -> Tree:
    get = configuration.get
    resolvers = _resolvers(as_list(get("dns.nameservers.global")), findings)
    override = configuration.flag("dns.override_local_dns", default=True)
    split = get("dns.nameservers.split")
    path = configuration.file("dns.extra_records_path")
    return {
        "magic_dns": _flag(configuration, "dns.magic_dns"),
        "base_domain": get("dns.base_domain"),
        "override_local_dns": bool(resolvers) and override,
        "search_domains": as_list(get("dns.search_domains")),
        "extra_records": [_record(record) for record in as_list(get("dns.extra_records")) if isinstance(record, dict)],
        "extra_records_path": str(path) if path else None,
        "nameservers": {
            "global": resolvers,
            "split": {str(domain): _resolvers(as_list(theirs), findings) for domain, theirs in split.items()}
            if isinstance(split, dict)
            else None,
        },
    }


def _prefixes(configuration: Configuration) -> Tree:
    """The prefixes; one that is not named is off, unless none is."""
    get = configuration.get
    former = [str(prefix) for prefix in as_list(get("ip_prefixes"))]
    v4 = get("prefixes.v4") or next((prefix for prefix in former if ":" not in prefix), None)
    v6 = get("prefixes.v6") or next((prefix for prefix in former if ":" in prefix), None)
    given = {"v4": v4 or "", "v6": v6 or ""} if v4 or v6 else {}
    return {**given, "allocation": get("prefixes.allocation")}


def _stun(configuration: Configuration) -> Tree:
    enabled = configuration.flag("derp.server.enabled", default=False)
    listen = listening(configuration.get("derp.server.stun_listen_addr"))
    return {"enabled": enabled, "listen": listen if enabled else None}


def _derp(configuration: Configuration) -> Tree:
    get, own = configuration.get, "derp.server"
    paths = [str(configuration.path.parent.absolute() / str(path)) for path in as_list(get("derp.paths"))]
    return {
        "enabled": configuration.flag(f"{own}.enabled", default=False),
        "in_map": _flag(configuration, f"{own}.automatically_add_embedded_derp_region"),
        "region_id": get(f"{own}.region_id", 999),
        "region_code": get(f"{own}.region_code", "headscale"),
        "region_name": get(f"{own}.region_name", "Headscale Embedded DERP"),
        "verify_clients": _flag(configuration, f"{own}.verify_clients"),
        "ipv4": get(f"{own}.ipv4"),
        "ipv6": get(f"{own}.ipv6"),
        "urls": as_list(get("derp.urls")),
        "paths": paths,
        "auto_update": _flag(configuration, "derp.auto_update_enabled"),
        "update_frequency": _duration(configuration, "derp.update_frequency"),
    }


def _tls(configuration: Configuration) -> Tree:
    get = configuration.get
    certificate, key = configuration.file("tls_cert_path"), configuration.file("tls_key_path")
    name = get("tls_letsencrypt_hostname")
    acme = {
        "domains": [name],
        "email": get("acme_email"),
        "url": get("acme_url"),
        "challenge": str(get("tls_letsencrypt_challenge_type", "HTTP-01")).lower(),
        "listen": listening_once(get("tls_letsencrypt_listen")),
    }
    return {
        "cert_file": str(certificate) if certificate else None,
        "key_file": str(key) if key else None,
        "acme": acme if name else {},
    }


def _log(configuration: Configuration) -> Tree:
    level = configuration.get("log.level")
    form = configuration.get("log.format")
    return {
        "level": LEVELS.get(str(level).lower(), "error") if level else None,
        "format": form if form == "json" else None,
    }


def _node(configuration: Configuration) -> Tree:
    """Headscale's own defaults stand where they differ from those here and a node, or the other value, would notice."""
    ha = "node.routes.ha"
    probes = {key: _duration(configuration, f"{ha}.{key}") for key in PROBES}
    return {
        "expiry": _duration(configuration, "node.expiry"),
        "ephemeral_timeout": _duration(configuration, "node.ephemeral.inactivity_timeout") or EPHEMERAL_TIMEOUT,
        "routes": {"ha": {key: probes[key] or PROBES[key] for key in PROBES} if any(probes.values()) else {}},
    }


def _tell_of_the_rest(configuration: Configuration, findings: Findings) -> None:
    """Tell of what is configured and has no counterpart here, once for each section that is spoken of as one."""
    given = [(setting, entry_of(setting)) for setting in configuration.given()]
    given += [(name, entry_of_variable(name)) for name in configuration.variables() if name != "HEADSCALE_CONFIG"]
    entries = dict.fromkeys(entry for _, entry in given if entry is not None)
    for entry in entries:
        _tell(entry, COUNTERPARTS[entry], findings)
    for plugin, text in PLUGINS.items():
        if any(COUNTERPARTS[entry].plugin == plugin for entry in entries):
            findings.changed(f"plugin {plugin}", text)
    for setting in (setting for setting, entry in given if entry is None):
        findings.left_out(f"setting {setting}", "Headscale has no such setting that is known here")


def _tell(setting: str, counterpart: Counterpart, findings: Findings) -> None:
    if counterpart.fate is Fate.NEEDLESS:
        findings.note(f"setting {setting}", counterpart.text)
    elif counterpart.fate is Fate.LOST:
        findings.left_out(f"setting {setting}", counterpart.text)


def _resolvers(given: Iterable[Any], findings: Findings) -> list[str]:
    found = []
    for resolver in map(str, given):
        try:
            found.append(checked_resolver(resolver))
        except InvalidError as error:
            findings.left_out(f"resolver {resolver}", str(error))
    return found


def _record(record: dict[str, Any]) -> Tree:
    return {key: str(record[key]) for key in ("name", "type", "value") if record.get(key)}


def _duration(configuration: Configuration, key: str) -> str | None:
    """A duration as Go writes it, which is as we do; a bare 0 is one too."""
    value = configuration.get(key)
    return None if value is None else str(value)


def _mode(configuration: Configuration) -> str | None:
    """The socket's mode; YAML takes 0770 without quotes for a number in octal."""
    value = configuration.get("unix_socket_permission")
    return f"{value:04o}" if isinstance(value, int) else value


def _flag(configuration: Configuration, key: str) -> bool | None:
    return None if configuration.get(key) is None else configuration.flag(key, default=False)


def _pruned(tree: Tree) -> Tree:
    """The tree without what is not set; False and empty prefixes are."""
    kept: Callable[[Any], bool] = lambda value: value is not None and value not in ([], {})  # noqa: E731
    pruned = {key: _pruned(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in pruned.items() if kept(value)}
