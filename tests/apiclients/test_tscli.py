"""`tscli`, a command line for the hosted service's API, unmodified: what it lists, gets and sets."""

import json
import os

import pytest

from tests.apiclients.conftest import SCOPES, told

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TSCLI = os.environ.get("TSCLI", "")
POLICY = '{"grants": [{"src": ["alice@"], "dst": ["100.64.0.9"], "ip": ["tcp:22"]}]} // mine\n'
PLAIN = POLICY.partition(" //")[0]
FAILING = '[{"src": "alice@", "deny": ["100.64.0.9:22"]}]'
MATCHES = [{"users": ["alice@"], "ports": ["100.64.0.9:22"], "lineNumber": 1}]


@pytest.fixture(params=["API key", "OAuth client"])
async def tscli(request, tailnet, tmp_path):
    """Runs one of its commands, the last words of which may hold spaces."""
    if not TSCLI:
        pytest.skip("TSCLI names no program: see tests/apiclients/README.md")
    if request.param == "API key":
        who = {"TAILSCALE_API_KEY": await tailnet.api_key()}
    else:
        client_id, secret = await tailnet.oauth_client(*SCOPES, tags=("tag:ci",))
        who = {"TSCLI_OAUTH_CLIENT_ID": client_id, "TSCLI_OAUTH_CLIENT_SECRET": secret}

    async def run(command, *words):
        env = {"TSCLI_BASE_URL": tailnet.url, "HOME": str(tmp_path), **who}
        return await tailnet.run(TSCLI, *command.split(), *words, env=env)

    return run


async def test_the_policy_is_set_and_asked(tscli, tailnet):
    done = await tscli("set policy --if-match ts-default --body", POLICY)
    assert done.returncode == 0, done.stderr
    assert tailnet.policy == POLICY
    assert (await tscli("get policy")).stdout.decode() == POLICY + "\n"
    assert told(await tscli("get policy --json")) == json.loads(PLAIN)
    assert (await tscli("set policy --if-match ts-default --body", POLICY)).returncode == 1
    verdict = told(await tscli("get policy validate --body", FAILING))
    assert verdict["message"] == "test(s) failed"
    for asked in ("user --value alice@", "ipport --value 100.64.0.9:22"):
        assert told(await tscli(f"get policy preview --current --type {asked}"))["matches"] == MATCHES


async def test_dns_is_set_and_asked(tscli):
    await tscli("set dns nameservers --nameserver 9.9.9.9")
    await tscli("set dns searchpaths --searchpath lab.example")
    await tscli("set dns split-dns --entry corp.example=10.0.0.53 --entry corp.example=10.0.1.53")
    await tscli("set dns preferences --magicdns=false")
    assert told(await tscli("list nameservers")) == {"dns": ["9.9.9.9"]}
    assert told(await tscli("get dns searchpaths")) == {"searchPaths": ["lab.example"]}
    assert told(await tscli("get dns split")) == {"corp.example": ["10.0.0.53", "10.0.1.53"]}
    assert told(await tscli("get dns preferences")) == {"magicDNS": False}
    await tscli("set dns split-dns --entry corp.example=")
    assert told(await tscli("get dns configuration"))["splitDNS"] == {}
    whole = told(await tscli("set dns configuration --body", '{"preferences": {"magicDNS": true}}'))
    assert whole["preferences"] == {"overrideLocalDNS": False, "magicDNS": True}


async def test_keys_nodes_and_users_are_listed(tscli, tailnet):
    key = told(await tscli("create key --type authkey --description runners --preauthorized --tags tag:ci"))
    node = await tailnet.server.client("runner")
    await node.register(key["key"])
    assert key["id"] in [each["id"] for each in told(await tscli("list keys"))]
    (device,) = told(await tscli("list devices"))
    assert (device["hostname"], device["tags"]) == ("runner", ["tag:ci"])
    assert told(await tscli("get device --device", device["nodeId"]))["hostname"] == "runner"
    assert "alice@" in [user["loginName"] for user in told(await tscli("list users"))]


async def test_a_node_is_administered(tscli, tailnet):
    await tailnet.save_policy('{"tagOwners": {"tag:ci": ["alice@"]}}')
    key = told(await tscli("create key --type authkey --preauthorized --tags tag:ci"))
    node = await tailnet.server.client("runner")
    await node.register(key["key"])
    for command in (
        "authorization --approve=false", "authorization", "name --name builder", "ip --ip 100.64.7.7",
        "key --disable-expiry", "routes --route 10.0.0.0/24", "tags --tag tag:ci",
        "posture --key custom:tier --value gold",
    ):  # fmt: skip
        told(await tscli(f"set device {command} --device 1"))
    told(await tscli("set device attributes --body", '{"nodes": {"1": {"custom:ok": {"value": true}}}}'))
    assert told(await tscli("list routes --device 1"))["enabledRoutes"] == ["10.0.0.0/24"]
    posture = told(await tscli("get device posture --device 1"))["attributes"]
    assert posture.items() >= {"custom:tier": "gold", "custom:ok": True}.items()
    device = told(await tscli("get device --device 1"))
    assert (device["name"].partition(".")[0], device["addresses"][0]) == ("builder", "100.64.7.7")
    told(await tscli("set device expiry --device 1"))
    told(await tscli("delete device --device 1"))
    assert told(await tscli("list devices")) == []


async def test_users_and_settings_are_set(tscli, tailnet):
    (alice,) = (user for user in told(await tscli("list users")) if user["loginName"] == "alice@")
    told(await tscli(f"set user role --role auditor --user {alice['id']}"))
    told(await tscli("set user access --suspend --user alice@"))
    shown = told(await tscli(f"get user --user {alice['id']}"))
    assert (shown["role"], shown["status"]) == ("auditor", "suspended")
    told(await tscli("set user access --restore --user alice@"))
    told(await tscli("set settings --devices-approval --devices-key-duration 30"))
    settings = told(await tscli("get settings"))
    assert (settings["devicesApprovalOn"], settings["devicesKeyDurationDays"]) == (True, 30)
    assert b"node.routes.ha" in (await tscli("set settings --regional-routing")).stderr
    told(await tscli(f"delete user --user {alice['id']}"))
