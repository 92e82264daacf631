"""Headscale's settings that are a plugin's here: written under the plugin's name, in force once it is enabled."""

from typing import Any

from hatsize.importing.configuration import Configuration, as_list
from hatsize.importing.listening import listening_once

Tree = dict[str, Any]
PROVIDER = "oidc"
"""The name of the one identity provider there was, by which its users are known."""


def plugin_settings(configuration: Configuration) -> Tree:
    """The plugins' own tables, by their names; empty for those that nothing is said of."""
    oidc = _provider(configuration)
    return {
        "metrics": {"listen": listening_once(configuration.get("metrics_listen_addr"))},
        "oidc": {"providers": [oidc]} if oidc else {},
    }


def _provider(configuration: Configuration) -> Tree:
    """The identity provider: who was let in is let in, and no one else."""
    if not configuration.get("oidc.issuer"):
        return {}
    secret_file = configuration.file("oidc.client_secret_path")
    groups = as_list(configuration.get("oidc.allowed_groups"))
    given = {
        "name": PROVIDER,
        "issuer": configuration.get("oidc.issuer"),
        "client_id": configuration.get("oidc.client_id"),
        "client_secret": configuration.get("oidc.client_secret"),
        "client_secret_file": str(secret_file) if secret_file else None,
        "headscale_callback": True,
        "scopes": as_list(configuration.get("oidc.scope")),
        "authorize": configuration.get("oidc.extra_params"),
        "allowed_domains": as_list(configuration.get("oidc.allowed_domains")),
        "allowed_users": as_list(configuration.get("oidc.allowed_users")),
        "allowed_groups": groups,
        "groups_claim": "groups" if groups else None,
        "unverified_email": _unverified(configuration),
        "node_expiry": "token" if configuration.flag("oidc.use_expiry_from_token", default=False) else None,
    }
    return {key: value for key, value in given.items() if value}


def _unverified(configuration: Configuration) -> str:
    """What Headscale does with an e-mail that is not verified: it forgets it, or believes it all the same."""
    return "drop" if configuration.flag("oidc.email_verified_required", default=True) else "accept"
