"""API v2: settings of the tailnet.

Approval of devices, how long keys last and automatic updates are changed at run time. What only the settings file can
say, or nothing here, is refused with the reason when another value is asked for than the one there is.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Body
from hatsize.api.v2.settings_json import FEATURES, SettingsJson, names, scope_of, settings_json
from hatsize.live.terms import as_settings
from hatsize.tailnet.commands.settings import change_settings
from hatsize.tailnet.scopes import READ, grants
from hatsize.tailnet.settings import TailnetSettings

area = Area("Settings")
REFUSALS: Mapping[str, str] = {
    "users_approval_on": "usersApprovalOn: who may log in is said by the settings of the plugin that logs people in, "
    "below plugins; devicesApprovalOn lets their devices wait",
    "users_role_allowed_to_join_external_tailnets": "usersRoleAllowedToJoinExternalTailnets: there is no other tailnet "
    "on this server",
    "network_flow_logging_on": "networkFlowLoggingOn: no flow logs are collected here",
    "regional_routing_on": "regionalRoutingOn: of several routers one serves a route, and which is found by "
    "node.routes.ha in the settings file",
    "posture_identity_collection_on": "postureIdentityCollectionOn: no serial numbers are collected here; set posture "
    "attributes by the API, or by a plugin",
    "https_enabled": "httpsEnabled: devices have certificates of their names where a plugin sees to it: "
    "name one, as dns, in plugins.enabled of the settings file",
}
"""Why a setting is not another one, and where it is made."""


class UpdateSettings(Body):
    """What is left out, or null, stays."""

    acls_externally_managed_on: bool | None = None
    acls_external_link: str | None = None
    devices_approval_on: bool | None = None
    devices_auto_updates_on: bool | None = None
    devices_key_duration_days: int | None = None
    users_approval_on: bool | None = None
    users_role_allowed_to_join_external_tailnets: str | None = None
    network_flow_logging_on: bool | None = None
    regional_routing_on: bool | None = None
    posture_identity_collection_on: bool | None = None
    https_enabled: bool | None = None


@area.add("GET", "/tailnet/{tailnet}/settings", "getTailnetSettings", "Show the tailnet's settings", scope="")
async def get_settings(call: Call) -> SettingsJson:
    hidden = [name for name in names() if not grants(call.principal.scopes, scope_of(name) + READ)]
    if len(hidden) == len(names()):
        call.demand(FEATURES + READ)
    return replace(settings_json(call.live), **dict.fromkeys(hidden, UNSET))


@area.add("PATCH", "/tailnet/{tailnet}/settings", "updateTailnetSettings", "Change the tailnet's settings", scope="")
async def update_settings(call: Call, body: UpdateSettings) -> SettingsJson:
    given = {name: value for name, value in asdict(body).items() if value is not None}
    for scope in sorted({scope_of(name) for name in given} or {FEATURES}):
        call.demand(scope)
    _check(call, given)
    update = TailnetSettings(
        approval=body.devices_approval_on,
        key_days=body.devices_key_duration_days,
        auto_update=body.devices_auto_updates_on,
        policy_elsewhere=None if call.live.policy.read_only else body.acls_externally_managed_on,
        policy_link=body.acls_external_link,
    )
    configured = replace(as_settings(call.live.configured), policy_elsewhere=False, policy_link="")
    await call.run(lambda state: change_settings(state, update, configured, call.now))
    return await get_settings(call)


def _check(call: Call, given: Mapping[str, Any]) -> None:
    """Raise the 400 problem that names every setting that cannot be what is asked for."""
    now = settings_json(call.live)
    refused = [why for name, why in REFUSALS.items() if given.get(name, getattr(now, name)) != getattr(now, name)]
    if given.get("acls_externally_managed_on") is False and call.live.policy.read_only:
        refused.append(f"aclsExternallyManagedOn: {call.live.policy.read_only}")
    if refused:
        raise bad_request("nothing was changed; " + "; ".join(refused))
