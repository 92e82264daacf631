"""The tailnet's settings as API v2 shows them, and which scope each needs."""

import msgspec
from msgspec import UNSET, UnsetType

from hatsize.api.contract import Live
from hatsize.api.schema import Answer
from hatsize.live.terms import DAY
from hatsize.tailnet.settings import chosen_settings

FEATURES = "feature_settings"
SCOPES = {
    "acls_externally_managed_on": "policy_file",
    "acls_external_link": "policy_file",
    "network_flow_logging_on": "logs:network",
    "https_enabled": "networking_settings",
}
"""What the credential needs to see or change a setting, where that is not `feature_settings`."""


class SettingsJson(Answer, kw_only=True):
    """What the credential may not see is absent."""

    acls_externally_managed_on: bool | UnsetType = UNSET
    """Whether the policy is kept somewhere else: in a file that the settings name, or where people say so."""
    acls_external_link: str | UnsetType = UNSET
    devices_approval_on: bool | UnsetType = UNSET
    devices_auto_updates_on: bool | UnsetType = UNSET
    devices_key_duration_days: int | UnsetType = UNSET
    """Whole days, rounded up; absent where keys do not expire."""
    users_approval_on: bool | UnsetType = UNSET
    users_role_allowed_to_join_external_tailnets: str | UnsetType = UNSET
    network_flow_logging_on: bool | UnsetType = UNSET
    regional_routing_on: bool | UnsetType = UNSET
    posture_identity_collection_on: bool | UnsetType = UNSET
    https_enabled: bool | UnsetType = UNSET
    """Whether devices may have certificates of their names, which a plugin sees to."""


def settings_json(live: Live) -> SettingsJson:
    """All settings as they are in force."""
    terms, chosen = live.terms, chosen_settings(live.state)
    return SettingsJson(
        acls_externally_managed_on=bool(live.policy.read_only or chosen.policy_elsewhere),
        acls_external_link=chosen.policy_link or "",
        devices_approval_on=terms.approval,
        devices_auto_updates_on=terms.auto_update,
        devices_key_duration_days=-(-terms.key_expiry // DAY) if terms.key_expiry else UNSET,
        users_approval_on=False,
        users_role_allowed_to_join_external_tailnets="none",
        network_flow_logging_on=False,
        regional_routing_on=False,
        posture_identity_collection_on=False,
        https_enabled=bool(live.dns.config().CertDomains),
    )


def scope_of(name: str) -> str:
    """The scope that changing a setting needs, by the name of its field."""
    return SCOPES.get(name, FEATURES)


def names() -> tuple[str, ...]:
    """The fields of all settings."""
    return tuple(field.name for field in msgspec.structs.fields(SettingsJson))
