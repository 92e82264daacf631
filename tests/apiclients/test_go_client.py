"""The hosted service's own Go client, on which its Terraform provider and its Kubernetes operator are built."""

import json

import anyio
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
POLICY = '{\n\t// who may what\n\t"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],\n}\n'
CLOSED = {"acls": [{"action": "accept", "src": ["alice@"], "dst": ["100.64.0.9:22"]}]}
FAILING = json.dumps({**CLOSED, "tests": [{"src": "alice@", "accept": ["100.64.0.9:23"]}]})
FAILED = 'test(s) failed; [{alice@ [address "100.64.0.9:23": want: Accept, got: Drop]}]'


async def test_the_policy_is_set_once_and_read_in_either_form(ask, refused):
    await ask("PolicyFile", "Set", POLICY, '"ts-default"')
    raw = await ask("PolicyFile", "Raw")
    assert raw["HuJSON"] == POLICY
    assert await ask("PolicyFile", "Get") == {"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
    stale = await refused("PolicyFile", "Set", POLICY, '"ts-default"')
    assert stale == (412, "precondition failed, invalid old hash")
    assert await ask("PolicyFile", "SetAndGet", CLOSED, raw["ETag"]) == CLOSED


async def test_of_several_who_change_the_same_policy_at_once_one_does(go_client, ask):
    tag = (await ask("PolicyFile", "Raw"))["ETag"]
    codes = []

    async def change(policy):
        codes.append((await go_client("PolicyFile", "Set", policy, tag)).returncode)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(change, f"{POLICY} // {number}\n")
    assert sorted(codes) == [0, 1, 1, 1]


async def test_a_policy_is_validated(ask, refused):
    assert await ask("PolicyFile", "Validate", POLICY) is None
    _, message = await refused("PolicyFile", "Validate", FAILING)
    assert message == f"ACL validation failed: {FAILED}"
    status, message = await refused("PolicyFile", "Set", FAILING, "")
    assert (status, message) == (400, "test(s) failed")


async def test_dns_is_set_by_its_parts(ask):
    await ask("DNS", "SetNameservers", ["9.9.9.9", "1.1.1.1"])
    await ask("DNS", "SetSearchPaths", ["lab.example"])
    await ask("DNS", "SetPreferences", {"magicDNS": False})
    await ask("DNS", "SetSplitDNS", {"corp.example": ["10.0.0.53"]})
    domains = await ask("DNS", "UpdateSplitDNS", {"lab.example": ["10.1.0.53"], "corp.example": None})
    assert domains == await ask("DNS", "SplitDNS") == {"lab.example": ["10.1.0.53"]}
    assert await ask("DNS", "Nameservers") == ["9.9.9.9", "1.1.1.1"]
    assert await ask("DNS", "SearchPaths") == ["lab.example"]
    assert await ask("DNS", "Preferences") == {"magicDNS": False}


async def test_dns_is_set_as_a_whole(ask, refused):
    whole = {
        "nameservers": [{"address": "1.1.1.1"}, {"address": "9.9.9.9", "useWithExitNode": True}],
        "splitDNS": {"corp.example": [{"address": "10.0.0.53"}]},
        "searchPaths": ["corp.example"],
        "preferences": {"overrideLocalDNS": True, "magicDNS": True},
    }
    await ask("DNS", "SetConfiguration", whole)
    assert await ask("DNS", "Configuration") == whole
    await ask("DNS", "SetConfiguration", {})
    assert await ask("DNS", "Configuration") == {"preferences": {}}
    status, message = await refused("DNS", "SetConfiguration", {"preferences": {"overrideLocalDNS": True}})
    assert (status, "set nameservers first" in message) == (400, True)


async def test_an_auth_key_is_made_listed_and_revoked(ask):
    create = {"reusable": True, "ephemeral": False, "preauthorized": True, "tags": ["tag:ci"]}
    key = await ask(
        "Keys", "CreateAuthKey", {"capabilities": {"devices": {"create": create}}, "description": "for the runners"}
    )
    assert key["key"].startswith("tskey-auth-")
    assert key["expirySeconds"] == 90 * 24 * 3600
    listed = {each["id"]: each for each in await ask("Keys", "List", True)}
    assert (listed[key["id"]]["description"], listed[key["id"]]["key"]) == ("for the runners", "")
    await ask("Keys", "Delete", key["id"])
    assert (await ask("Keys", "Get", key["id"]))["invalid"]


async def test_a_node_is_found_and_administered(ask, refused, tailnet):
    create = {"reusable": False, "preauthorized": True, "tags": ["tag:ci"]}
    key = await ask("Keys", "CreateAuthKey", {"capabilities": {"devices": {"create": create}}})
    node = await tailnet.server.client("runner")
    await node.register(key["key"])
    (device,) = await ask("Devices", "List")
    node_id = device["nodeId"]
    assert (device["hostname"], device["tags"], device["addresses"][0]) == ("runner", ["tag:ci"], "100.64.0.1")
    await ask("Devices", "SetSubnetRoutes", node_id, ["10.0.0.0/24"])
    assert (await ask("Devices", "SubnetRoutes", node_id))["enabledRoutes"] == ["10.0.0.0/24"]
    await ask("Devices", "SetAuthorized", node_id, True)
    await ask("Devices", "SetName", node_id, "builder")
    await ask("Devices", "SetKey", node_id, {"keyExpiryDisabled": True})
    device = await ask("Devices", "GetWithAllFields", node_id)
    assert device["name"].partition(".")[0] == "builder"
    assert device["keyExpiryDisabled"]
    await ask("Devices", "Delete", node_id)
    assert (await refused("Devices", "Get", node_id))[0] == 404
