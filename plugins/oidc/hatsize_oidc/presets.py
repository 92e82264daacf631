"""What well-known identity providers do in their own way, as defaults of a provider's settings."""

from collections.abc import Mapping
from typing import Any

_LASTING = ("openid", "profile", "email", "offline_access")
_WITH_GROUPS = (*_LASTING, "groups")

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "keycloak": {"scopes": _LASTING, "groups_claim": "groups"},
    "authentik": {"scopes": _LASTING, "groups_claim": "groups"},
    # Entra says nothing of whether an address is verified: tenants decide that by their domains. Groups are object ids.
    "entra": {"scopes": _LASTING, "groups_claim": "groups", "unverified_email": "drop"},
    # Google knows no scope for refresh tokens and no groups; it gives the token once, when it asks for consent.
    "google": {
        "issuer": "https://accounts.google.com",
        "scopes": ("openid", "profile", "email"),
        "authorize": {"access_type": "offline", "prompt": "consent"},
        "ssh_check": False,
    },
    "okta": {"scopes": _WITH_GROUPS, "groups_claim": "groups"},
    # Dex does not say when somebody has logged in, so none there is known to be fresh; nor does Kanidm.
    "dex": {"scopes": _WITH_GROUPS, "groups_claim": "groups", "ssh_check": False},
    # Kanidm's groups come as `name@domain` already, and as UUIDs.
    "kanidm": {
        "scopes": ("openid", "profile", "email", "groups"),
        "groups_claim": "groups",
        "ssh_check": False,
    },
    # Roles are the keys of an object, each with the organisations it is granted in.
    "zitadel": {"scopes": _LASTING, "groups_claim": "urn:zitadel:iam:org:project:roles"},
}
"""By the value of `preset`; what the settings say themselves goes first."""
