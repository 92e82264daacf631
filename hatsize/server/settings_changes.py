"""What changed between two readings of the settings, and what of it can take effect in a running server."""

from collections.abc import Mapping, Sequence
from typing import Any

from hatsize.server.settings import Settings

AT_START = (
    "server_url", "listen", "data_dir", "dns.base_domain", "prefixes", "stun", "derp.enabled", "derp.process",
    "derp.in_map", "derp.region_id", "derp.region_code", "derp.region_name", "derp.verify_clients", "derp.ipv4",
    "derp.ipv6", "derp.listen", "tls.acme", "database", "policy", "api.socket_mode", "plugins",
)  # fmt: skip
"""Settings, and whole sections of them, that take effect at the next start only."""

Tree = dict[str, Any]


def taking_effect(former: Settings, read: Settings) -> tuple[Settings, Sequence[str]]:
    """The settings that are in force once a running server has taken what it can, and the names of those that wait."""
    old, new = _tree(former), _tree(read)
    fixed = [*AT_START, "tls"] if bool(former.tls.cert_file) != bool(read.tls.cert_file) else AT_START
    waiting = [path for path in fixed if _get(old, path) != _get(new, path)]
    for path in fixed:
        table, _, key = path.rpartition(".")
        target = _get(new, table) if table else new
        target[key] = _get(old, path)
    return Settings.model_validate(new), waiting


def _tree(settings: Settings) -> Tree:
    return settings.model_dump(by_alias=True)


def _get(tree: Mapping[str, Any], path: str) -> Any:
    found: Any = tree
    for key in path.split("."):
        found = found[key]
    return found
