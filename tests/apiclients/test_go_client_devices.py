"""The hosted service's own Go client: devices, their posture attributes, users and settings."""

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ZERO = "0001-01-01T00:00:00Z"
POLICY = '{"tagOwners": {"tag:ci": [], "tag:web": ["tag:ci"]}}'


@pytest.fixture
async def runner(ask, tailnet) -> str:
    """The id of a tagged node that is connected."""
    await tailnet.save_policy(POLICY)
    create = {"reusable": False, "preauthorized": True, "tags": ["tag:ci"]}
    key = await ask("Keys", "CreateAuthKey", {"capabilities": {"devices": {"create": create}}})
    node = await tailnet.server.client("runner")
    await node.register(key["key"])
    await (await node.poll()).until(lambda netmap: netmap.own)
    (device,) = await ask("Devices", "List")
    return device["nodeId"]


async def test_a_device_is_decoded_whole(ask, runner):
    device = await ask("Devices", "Get", runner)
    assert (device["id"], device["connectedToControl"], device["lastSeen"]) == ("1", True, None)
    assert (device["keyExpiryDisabled"], device["expires"], device["clientConnectivity"]) == (True, ZERO, None)
    device = await ask("Devices", "GetWithAllFields", "1")
    assert device["nodeId"] == runner
    assert device["clientConnectivity"]["clientSupports"]["hairPinning"] is False
    assert device["enabledRoutes"] == []


async def test_approval_tags_address_and_expiry_are_changed(ask, runner, tailnet):
    await ask("Devices", "SetAuthorized", runner, False)
    assert (await ask("Devices", "Get", runner))["authorized"] is False
    await ask("Devices", "SetTags", runner, ["tag:ci", "tag:web"])
    await ask("Devices", "SetIPv4Address", runner, "100.64.9.9")
    await ask("Devices", "SetKey", runner, {"keyExpiryDisabled": False})
    device = await ask("Devices", "Get", runner)
    assert (device["tags"], device["addresses"][0]) == (["tag:ci", "tag:web"], "100.64.9.9")
    assert device["keyExpiryDisabled"] is True  # by the settings no key expires


async def test_what_is_refused_is_told_in_words(refused, runner):
    for method, argument, status, word in (
        ("SetTags", [], 400, "log it in again"),
        ("SetName", "No Name", 400, "No Name"),
        ("SetIPv4Address", "10.0.0.1", 400, "10.0.0.1"),
        ("SetSubnetRoutes", ["10.0.0.1/8"], 400, "10.0.0.0/8"),
    ):
        told = await refused("Devices", method, runner, argument)
        assert (told[0], word in told[1]) == (status, True), told
    assert await refused("Devices", "Get", "n0NOBODY") == (
        404, "there is no device 'n0NOBODY': GET /api/v2/tailnet/-/devices lists them",
    )  # fmt: skip


async def test_posture_attributes_are_set_with_and_without_expiry(ask, runner):
    await ask("Devices", "SetPostureAttribute", runner, "custom:tier", {"value": "gold", "comment": "by hand"})
    await ask("Devices", "SetPostureAttribute", runner, "custom:score", {"value": 5, "expiry": "2100-01-01T00:00:00Z"})
    found = await ask("Devices", "GetPostureAttributes", runner)
    assert found["attributes"].items() >= {"custom:tier": "gold", "custom:score": 5, "node:os": "linux"}.items()
    assert found["expiries"] == {"custom:score": "2100-01-01T00:00:00Z"}
    await ask("Devices", "DeletePostureAttribute", runner, "custom:tier")
    assert "custom:tier" not in (await ask("Devices", "GetPostureAttributes", runner))["attributes"]


async def test_users_are_listed_by_role_and_shown(ask, refused, runner):
    users = await ask("Users", "List", None, None)
    assert [user["loginName"] for user in users][-1] == "alice@"
    alice = users[-1]
    assert (alice["type"], alice["status"], alice["deviceCount"]) == ("member", "active", 0)
    assert await ask("Users", "List", "shared", None) == []
    assert alice in await ask("Users", "List", "member", "member")
    assert (await ask("Users", "Get", alice["id"]))["loginName"] == "alice@"
    assert (await refused("Users", "Get", "77"))[0] == 404


async def test_settings_are_changed_and_what_cannot_be_is_refused(ask, refused):
    settings = await ask("TailnetSettings", "Get")
    assert (settings["devicesApprovalOn"], settings["devicesKeyDurationDays"]) == (False, 0)
    await ask("TailnetSettings", "Update", {"devicesApprovalOn": True, "devicesKeyDurationDays": 90})
    after = await ask("TailnetSettings", "Get")
    assert after == {**settings, "devicesApprovalOn": True, "devicesKeyDurationDays": 90}
    status, message = await refused("TailnetSettings", "Update", {"regionalRoutingOn": True})
    assert (status, "node.routes.ha" in message) == (400, True)
