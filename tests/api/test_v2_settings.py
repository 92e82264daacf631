"""API v2: the tailnet's settings, which can be changed, and which are refused in words."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatsize.tailnet.model import Change, Tailnet
from hatsize.tailnet.settings import TailnetSettings, chosen_settings

pytestmark = pytest.mark.anyio
TOLD = {
    "aclsExternallyManagedOn": False,
    "aclsExternalLink": "",
    "devicesApprovalOn": False,
    "devicesAutoUpdatesOn": False,
    "usersApprovalOn": False,
    "usersRoleAllowedToJoinExternalTailnets": "none",
    "networkFlowLoggingOn": False,
    "regionalRoutingOn": False,
    "postureIdentityCollectionOn": False,
    "httpsEnabled": False,
}


@pytest.fixture(autouse=True)
def tailnet(live) -> None:
    row = Tailnet(id=1, name="net.example", created=live.clock())
    live.state.apply(Change(tailnet=1, kind="tailnet.created", puts=(row,), at=live.clock()))


async def ask(api, method, body=None, **how):
    response = await api(method, "/api/v2/tailnet/-/settings", body, **how)
    told = await response.get_json()
    return response.status_code, told["message"] if response.status_code >= 400 else told


async def test_settings_are_told_as_they_are_in_force(live, api):
    assert await ask(api, "GET") == (200, TOLD)
    live.configured = dataclasses.replace(live.configured, key_expiry=timedelta(days=30, hours=1), approval=True)
    assert await ask(api, "GET") == (200, {**TOLD, "devicesKeyDurationDays": 31, "devicesApprovalOn": True})


@pytest.mark.parametrize(
    "update",
    [
        {"devicesApprovalOn": True},
        {"devicesKeyDurationDays": 90},
        {"devicesAutoUpdatesOn": True},
        {"aclsExternallyManagedOn": True, "aclsExternalLink": "https://git.example/policy"},
    ],
)
async def test_what_the_state_knows_is_changed_at_run_time_and_set_back(live, api, update):
    assert await ask(api, "PATCH", update) == (200, {**TOLD, **update})
    assert await ask(api, "GET") == (200, {**TOLD, **update})
    if "devicesKeyDurationDays" not in update:
        assert await ask(api, "PATCH", {name: TOLD[name] for name in update}) == (200, TOLD)
        assert chosen_settings(live.state) == TailnetSettings()


@pytest.mark.parametrize("update", [{}, TOLD, dict.fromkeys(TOLD), {"devicesApprovalOn": False}])
async def test_what_is_so_already_or_null_stays(live, api, update):
    assert await ask(api, "PATCH", update) == (200, TOLD)
    assert live.log == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("usersApprovalOn", True, "plugins"),
        ("usersRoleAllowedToJoinExternalTailnets", "member", "no other tailnet"),
        ("networkFlowLoggingOn", True, "no flow logs"),
        ("regionalRoutingOn", True, "node.routes.ha"),
        ("postureIdentityCollectionOn", True, "serial numbers"),
        ("httpsEnabled", True, "plugins.enabled"),
        ("devicesKeyDurationDays", 0, "1 to"),
        ("aclsExternalLink", "ftp://x", "https://"),
    ],
)
async def test_what_cannot_be_is_refused_with_where_it_is_made(live, api, name, value, told):
    status, message = await ask(api, "PATCH", {name: value, "devicesApprovalOn": True})
    assert status == 400
    assert told in message
    assert await ask(api, "GET") == (200, TOLD)


async def test_every_setting_that_is_refused_is_named(api):
    _, message = await ask(api, "PATCH", {"usersApprovalOn": True, "httpsEnabled": True})
    assert "usersApprovalOn: " in message
    assert "httpsEnabled: " in message


async def test_a_policy_that_a_file_holds_is_managed_elsewhere(live, api):
    live.policy.read_only = "the policy is read from /etc/policy.hujson"
    assert (await ask(api, "GET"))[1]["aclsExternallyManagedOn"] is True
    assert (await ask(api, "PATCH", {"aclsExternallyManagedOn": True}))[0] == 200
    assert chosen_settings(live.state) == TailnetSettings()
    assert await ask(api, "PATCH", {"aclsExternallyManagedOn": False}) == (
        400, "nothing was changed; aclsExternallyManagedOn: the policy is read from /etc/policy.hujson",
    )  # fmt: skip


async def test_a_name_there_is_not_is_refused(api):
    assert (await ask(api, "PATCH", {"deviceApprovalOn": True}))[0] == 422


SCOPED = [
    ("policy_file", {"aclsExternallyManagedOn", "aclsExternalLink"}),
    ("networking_settings", {"httpsEnabled"}),
    ("logs:network", {"networkFlowLoggingOn"}),
    (
        "feature_settings",
        {
            "devicesApprovalOn", "devicesAutoUpdatesOn", "usersApprovalOn", "usersRoleAllowedToJoinExternalTailnets",
            "regionalRoutingOn", "postureIdentityCollectionOn",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "seen"), SCOPED)
async def test_a_credential_sees_and_changes_what_its_scopes_are_about(api, token, scope, seen):
    for form in (scope, f"{scope}:read"):
        status, told = await ask(api, "GET", headers={"Authorization": f"Bearer {token(form)}"}, local=False)
        assert (status, told.keys()) == (200, seen)
    how = {"headers": {"Authorization": f"Bearer {token(scope)}"}, "local": False}
    for name, value in TOLD.items():
        assert (await ask(api, "PATCH", {name: value}, **how))[0] == (200 if name in seen else 403)
    assert (await ask(api, "PATCH", {}, **how))[0] == (200 if scope == "feature_settings" else 403)


async def test_a_credential_for_something_else_sees_nothing(api, token):
    how = {"headers": {"Authorization": f"Bearer {token('dns')}"}, "local": False}
    status, message = await ask(api, "GET", **how)
    assert (status, "feature_settings:read" in message) == (403, True)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(update=st.dictionaries(st.sampled_from([*TOLD, "devicesKeyDurationDays"]) | st.text(), VALUES))
async def test_any_body_gets_an_answer_and_never_an_error_of_the_servers(api, update):
    assert (await ask(api, "PATCH", update))[0] in {200, 400, 422}
