"""Headscale's `config.yaml`, of any release: values by their present name, paths as Headscale resolves them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import URL

from hatsize.importing.findings import ImportRefusedError

FORMER = {
    "dns.magic_dns": "dns_config.magic_dns",
    "dns.base_domain": "dns_config.base_domain",
    "dns.override_local_dns": "dns_config.override_local_dns",
    "dns.nameservers.global": "dns_config.nameservers",
    "dns.nameservers.split": "dns_config.restricted_nameservers",
    "dns.search_domains": "dns_config.domains",
    "dns.extra_records": "dns_config.extra_records",
    "policy.path": "acl_policy_path",
    "log.level": "log_level",
    "node.ephemeral.inactivity_timeout": "ephemeral_node_inactivity_timeout",
    "database.type": "db_type",
    "database.sqlite.path": "db_path",
    "database.postgres.host": "db_host",
    "database.postgres.port": "db_port",
    "database.postgres.name": "db_name",
    "database.postgres.user": "db_user",
    "database.postgres.pass": "db_pass",
    "database.postgres.ssl": "db_ssl",
}
"""What keys were called before Headscale 0.23."""


class Configuration:
    """Values by dotted path."""

    def __init__(self, tree: Mapping[str, Any], path: Path, environ: Mapping[str, str] | None = None) -> None:
        self._tree = tree
        self._environ = environ or {}
        self.path = path

    def get(self, key: str, default: Any = None) -> Any:
        """A value: the `HEADSCALE_…` variable, the key's, or that of its former name; empty ones are the default."""
        for name in (key, FORMER.get(key)):
            if name is not None and (found := self._find(name)) not in (None, "", [], {}):
                return found
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        return value.lower() in {"1", "t", "true"} if isinstance(value, str) else bool(value)

    def file(self, key: str) -> Path | None:
        """A path, relative ones from where the configuration lies."""
        value = self.get(key)
        return self.path.parent.absolute() / str(value) if value else None

    def given(self) -> list[str]:
        """The settings that the file gives."""
        return list(_leaves(self._tree))

    def variables(self) -> list[str]:
        """The `HEADSCALE_…` variables that are set."""
        return sorted(name for name, value in self._environ.items() if name.startswith("HEADSCALE_") and value)

    def _find(self, key: str) -> Any:
        variable = "HEADSCALE_" + key.replace(".", "_").upper()
        if variable in self._environ:
            return self._environ[variable]
        found: Any = self._tree
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def read_configuration(path: Path, environ: Mapping[str, str] = os.environ) -> Configuration:
    """Read the file; raises ImportRefusedError that says what is wrong with it."""
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ImportRefusedError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ImportRefusedError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise ImportRefusedError(f"{path} is not a Headscale configuration: give its config.yaml")
    return Configuration(tree, path, environ)


def database_of(configuration: Configuration) -> str | URL:
    """Where the configured database is; raises ImportRefusedError when none is named."""
    if str(configuration.get("database.type", "sqlite")).startswith("postgres"):
        return _postgres(configuration)
    file = configuration.file("database.sqlite.path")
    if file is None:
        raise ImportRefusedError(f"{configuration.path} names no database: give it with --database")
    return str(file)


def _postgres(configuration: Configuration) -> URL:
    def get(key: str) -> Any:
        return configuration.get(f"database.postgres.{key}")

    host, port, ssl = get("host"), get("port"), str(get("ssl") or "false").lower()
    return URL.create(
        "postgresql+psycopg",
        username=get("user"),
        password=None if get("pass") is None else str(get("pass")),
        database=get("name"),
        host=host,
        port=int(port) if str(port or "").isdecimal() and int(port) else None,
        query={"sslmode": {"true": "require", "false": "prefer"}.get(ssl, ssl)},
    )


def as_list(value: Any) -> list[Any]:
    """A list as Headscale takes one: a variable's text has spaces between."""
    if isinstance(value, str):
        return value.split()
    return list(value) if isinstance(value, list) else []


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        elif value not in (None, "", [], {}):
            yield f"{above}{key}"
