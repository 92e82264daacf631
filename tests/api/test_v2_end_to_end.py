"""API v2 of a whole server on loopback: what it changes reaches the machines, and what they tell reaches it."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from datetime import timedelta
from secrets import token_bytes

import pytest
from anyio import to_thread
from msgspec.structs import replace

from hatsize.tailnet.commands.credentials import create_api_key
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.model import CredentialKind, Node, User
from hatsize.tailnet.secrets import mint
from hatsize.wire.tailcfg import NetInfo

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
POLICY = """{
    "tagOwners": {"tag:web": []},
    "postures": {"posture:trusted": ["custom:tier == 'gold'"]},
    "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"], "srcPosture": ["posture:trusted"]}]
}"""


class Api:
    """Asks a server over TCP, with an API key as the user name of HTTP Basic."""

    def __init__(self, server, key: str) -> None:
        self._base = f"{server.url}/api/v2"
        self._headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}

    async def __call__(self, method: str, path: str, body=None):
        """The answer's JSON, None for no answer; a refusal as (status, message)."""
        return await to_thread.run_sync(self._asked, method, path, None if body is None else json.dumps(body).encode())

    def _asked(self, method: str, path: str, body: bytes | None):
        request = urllib.request.Request(self._base + path, body, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                told = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["message"]
        return json.loads(told) if told else None


@pytest.fixture
async def server(hatsize_server):
    async with hatsize_server() as server:
        yield server


@pytest.fixture
async def api(server) -> Api:
    live = server.parts.live
    minted = mint(CredentialKind.API_KEY, token_bytes(44))
    await live.run(lambda state: create_api_key(state, minted, live.clock()))
    return Api(server, minted.text)


async def join(server, hostname: str):
    """A client of the first user's that is a node, with its map stream open."""
    client = await server.client(hostname)
    client.hostinfo = replace(client.hostinfo, Distro="debian", RoutableIPs=("10.0.0.0/24",))
    answer = await client.register()
    owner = min(server.parts.live.state.all(User), key=lambda user: user.id)
    await server.parts.registrar.approve(answer.AuthURL.rpartition("/")[2], owner.id, "cli")
    await client.register(followup=answer.AuthURL)
    client.hostinfo = replace(client.hostinfo, NetInfo=NetInfo(PreferredDERP=900, DERPLatency={"900-v4": 0.25}))
    await client.report(endpoints=["192.0.2.1:41641"])
    stream = await client.poll()
    await stream.until(lambda netmap: netmap.own)
    return client, stream


@pytest.fixture
async def two(server):
    """The map streams of a desk and a router."""
    return [(await join(server, hostname))[1] for hostname in ("desk", "router")]


async def ids(api) -> dict[str, str]:
    return {device["hostname"]: device["nodeId"] for device in (await api("GET", "/tailnet/-/devices"))["devices"]}


async def test_what_machines_tell_is_shown(api, server, two):
    desk, router = (await api("GET", "/tailnet/-/devices?fields=all"))["devices"]
    assert (desk["name"], desk["addresses"]) == ("desk.tailnet.internal", ["100.64.0.1", "fd7a:115c:a1e0::1"])
    assert (router["connectedToControl"], router["distro"]["name"]) == (True, "debian")
    assert (router["advertisedRoutes"], router["enabledRoutes"]) == (["10.0.0.0/24"], [])
    assert router["clientConnectivity"]["endpoints"] == ["192.0.2.1:41641"]
    assert router["clientConnectivity"]["latency"] == {"Hatsize": {"preferred": True, "latencyMs": 250}}
    assert await api("GET", f"/device/{router['id']}?fields=all") == router
    assert (await api("GET", "/tailnet/-/devices?hostname=desk"))["devices"][0]["nodeId"] == desk["nodeId"]


async def test_names_addresses_routes_and_tags_reach_the_peers(api, server, two):
    at_desk, at_router = two
    await server.parts.live.run(lambda state: save_policy(state, POLICY, lambda *_: (), server.parts.live.clock()))
    found = await ids(api)
    router = found["router"]
    await api("POST", f"/device/{found['desk']}/attributes/custom:tier", {"value": "gold"})
    await at_desk.until(lambda netmap: netmap.peer_names == ["router"])
    await api("POST", f"/device/{router}/name", {"name": "gate.tailnet.internal"})
    await at_desk.until(lambda netmap: netmap.peer_names == ["gate"])
    await api("POST", f"/device/{router}/ip", {"ipv4": "100.64.7.7"})
    await at_desk.until(lambda netmap: netmap.peer("gate")["Addresses"][0] == "100.64.7.7/32")
    await api("POST", f"/device/{router}/routes", {"routes": ["10.0.0.0/24"]})
    await at_desk.until(lambda netmap: "10.0.0.0/24" in netmap.peer("gate")["AllowedIPs"])
    await api("POST", f"/device/{router}/tags", {"tags": ["tag:web"]})
    await at_desk.until(lambda netmap: netmap.peer("gate").get("Tags") == ["tag:web"])
    await api("POST", f"/device/{router}/name", {"name": ""})
    await at_router.until(lambda netmap: netmap.own["Name"].startswith("router."))


async def test_approval_is_taken_from_a_device_and_given_back(api, two):
    at_desk, at_router = two
    router = (await ids(api))["router"]
    await at_desk.until(lambda netmap: netmap.peer_names == ["router"])
    await api("POST", f"/device/{router}/authorized", {"authorized": False})
    await at_desk.until(lambda netmap: not netmap.peers)
    await at_router.until(lambda netmap: not netmap.own.get("MachineAuthorized") and not netmap.peers)
    assert (await api("GET", f"/device/{router}"))["authorized"] is False
    await api("POST", f"/device/{router}/authorized", {"authorized": True})
    await at_desk.until(lambda netmap: netmap.peer_names == ["router"])
    await at_router.until(lambda netmap: netmap.own.get("MachineAuthorized") and netmap.peer_names == ["desk"])


async def test_a_posture_decides_by_an_attribute_until_that_is_taken_away(api, server, two):
    at_desk, at_router = two
    live = server.parts.live
    await live.run(lambda state: save_policy(state, POLICY, lambda *_: (), live.clock()))
    await at_router.until(lambda netmap: not netmap.peers)
    desk = (await ids(api))["desk"]
    assert (
        await api("PATCH", "/tailnet/-/device-attributes", {"nodes": {desk: {"custom:tier": {"value": "gold"}}}})
        is None
    )
    await at_router.until(lambda netmap: netmap.peer_names == ["desk"])
    await api("DELETE", f"/device/{desk}/attributes/custom:tier")
    await at_router.until(lambda netmap: not netmap.peers)
    await at_desk.until(lambda netmap: not netmap.peers)


async def test_a_key_expires_is_renewed_and_a_device_goes(api, two):
    at_desk, at_router = two
    router = (await ids(api))["router"]
    await api("POST", f"/device/{router}/expire")
    await at_desk.until(lambda netmap: netmap.peer("router").get("Expired"))
    await api("POST", f"/device/{router}/key", {"keyExpiryDisabled": True})
    await at_desk.until(lambda netmap: not netmap.peer("router").get("Expired"))
    await api("POST", f"/device/{router}/key", {"keyExpiryDisabled": False})
    await at_router.until(lambda netmap: netmap.own.get("Expired"))
    await api("DELETE", f"/device/{router}")
    await at_desk.until(lambda netmap: not netmap.peers)
    assert (await api("GET", f"/device/{router}"))[0] == 404


async def test_settings_hold_for_whoever_joins_next(api, server, two):
    told = await api("PATCH", "/tailnet/-/settings", {"devicesKeyDurationDays": 3, "devicesAutoUpdatesOn": True})
    assert (told["devicesKeyDurationDays"], told["devicesAutoUpdatesOn"]) == (3, True)
    await two[0].until(lambda netmap: netmap.own["CapMap"]["default-auto-update"] == [True])
    await join(server, "late")
    late = max(server.parts.live.state.all(Node), key=lambda node: node.id)
    assert timedelta(days=2) < late.key_expiry - late.created <= timedelta(days=3, minutes=1)
    status, message = await api("PATCH", "/tailnet/-/settings", {"httpsEnabled": True})
    assert (status, "plugins.enabled" in message) == (400, True)


async def test_a_user_is_shut_out_with_their_machines(api, two):
    (user,) = (await api("GET", "/tailnet/-/users"))["users"]
    assert (user["deviceCount"], user["currentlyConnected"], user["status"]) == (2, True, "active")
    await api("POST", f"/users/{user['id']}/suspend")
    await two[0].until(lambda netmap: netmap.own.get("Expired"))
    assert (await api("GET", f"/users/{user['id']}"))["status"] == "suspended"
    assert (await api("POST", f"/users/{user['id']}/delete"))[0] == 400
