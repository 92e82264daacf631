"""API v2: devices as they are shown, found and filtered."""

import dataclasses
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.api.v2.device_connectivity import connectivity_json
from hatsize.netmap.notices import Notices
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import Hostinfo, NetInfo

pytestmark = pytest.mark.anyio
DEFAULT = {
    "addresses", "id", "nodeId", "user", "name", "hostname", "clientVersion", "updateAvailable", "os", "created",
    "connectedToControl", "keyExpiryDisabled", "expires", "authorized", "isExternal", "machineKey", "nodeKey",
    "blocksIncomingConnections", "tailnetLockKey", "tailnetLockError", "tags", "isEphemeral",
}  # fmt: skip
"""What a device has at least, as the API's description names it."""


@pytest.fixture
def desk(live) -> Node:
    """A machine of Alice's that is on, and has told of itself."""
    live.add_users("alice")
    number = live.join("desk", a_key(), routes=["10.0.0.0/24", "0.0.0.0/0"])
    live.online.add(number)
    info = Hostinfo(
        Hostname="Desk of Alice", OS="linux", IPNVersion="1.80.0-t123", Distro="debian", DistroVersion="13",
        DistroCodeName="trixie", ShieldsUp=True, SSHHostKeys=("ssh-ed25519 AAAA",), RoutableIPs=("10.0.0.0/24",),
        NetInfo=NetInfo(
            PreferredDERP=900, WorkingUDP=True, UPnP=False, MappingVariesByDestIP=True,
            DERPLatency={"900-v4": 0.02, "900-v6": 0.0125, "7-v4": 0.5, "x": 1.0},
        ),
    )  # fmt: skip
    return change(
        live, number, hostinfo=info, endpoints=("192.0.2.1:41641",), approved_routes=("10.0.0.0/24",),
        ipv4="100.64.0.1", ipv6="fd7a:115c:a1e0::1", nl_key="nlpub:00", last_seen=live.clock(),
    )  # fmt: skip


def a_key() -> Credential:
    return Credential(id=1, kind=CredentialKind.AUTH_KEY, prefix="k", hash="", user_id=1, created=None)


def change(live, number: int, **fields) -> Node:
    node = replace(live.state.get(Node, number), **fields)
    live.state.apply(Change(tailnet=1, kind="node.updated", puts=(node,), at=live.clock()))
    return node


async def answer(api, method, path, body=None):
    response = await api(method, f"/api/v2/{path}", body)
    return response.status_code, await response.get_json()


async def listed(api, query: str = "") -> list[str]:
    status, body = await answer(api, "GET", f"tailnet/-/devices?{query}")
    assert status == 200, body
    assert body.keys() == {"devices"}
    return [device["hostname"] for device in body["devices"]]


async def test_a_device_is_shown_as_the_hosted_service_shows_it(api, desk):
    _, device = await answer(api, "GET", f"device/{desk.stable_id}")
    assert device == {
        "addresses": ["100.64.0.1", "fd7a:115c:a1e0::1"],
        "id": "1",
        "nodeId": desk.stable_id,
        "user": "alice@",
        "name": "desk.net.example",
        "hostname": "Desk of Alice",
        "clientVersion": "1.80.0-t123",
        "updateAvailable": False,
        "os": "linux",
        "created": "2026-03-04T05:06:08.12Z",
        "connectedToControl": True,
        "keyExpiryDisabled": True,
        "expires": "0001-01-01T00:00:00Z",
        "authorized": True,
        "isExternal": False,
        "machineKey": desk.machine_key,
        "nodeKey": desk.node_key,
        "blocksIncomingConnections": True,
        "tailnetLockKey": "nlpub:00",
        "tailnetLockError": "",
        "tags": [],
        "isEphemeral": False,
    }
    assert device.keys() == DEFAULT


async def test_all_fields_tell_of_its_routes_and_its_network_too(api, desk):
    _, device = await answer(api, "GET", f"device/{desk.stable_id}?fields=all")
    assert {name: device[name] for name in device.keys() - DEFAULT} == {
        "enabledRoutes": ["10.0.0.0/24"],
        "advertisedRoutes": ["10.0.0.0/24"],
        "sshEnabled": True,
        "distro": {"name": "debian", "version": "13", "codeName": "trixie"},
        "clientConnectivity": {
            "endpoints": ["192.0.2.1:41641"],
            "derp": "Lab",
            "mappingVariesByDestIP": True,
            "latency": {"Lab": {"preferred": True, "latencyMs": 12.5}},
            "clientSupports": {
                "hairPinning": None, "ipv6": None, "pcp": None, "pmp": None, "udp": True, "upnp": False,
            },
        },
    }  # fmt: skip


async def test_a_device_that_is_away_tells_since_when_and_one_that_never_came_does_not(live, api, desk):
    live.online.clear()
    _, device = await answer(api, "GET", "device/1")
    assert (device["connectedToControl"], device["lastSeen"]) == (False, "2026-03-04T05:06:09.12Z")
    change(live, 1, last_seen=None)
    assert "lastSeen" not in (await answer(api, "GET", "device/1"))[1]


async def test_a_device_that_has_told_nothing_is_shown_all_the_same(live, api):
    live.add_users("alice")
    live.join("bare", a_key())
    change(live, 1, user_id=None, hostinfo=Hostinfo())
    _, device = await answer(api, "GET", "device/1?fields=all")
    assert (device["user"], device["hostname"], device["os"]) == ("tagged-devices", "bare", "")
    assert device["clientConnectivity"]["endpoints"] == []
    assert "distro" not in device


async def test_an_update_is_there_where_the_settings_name_a_newer_client(live, api, desk):
    for newest, available in (("1.80.0", False), ("1.102.5", True)):
        live.configured = dataclasses.replace(live.configured, notices=Notices(latest_version=newest))
        assert (await answer(api, "GET", "device/1"))[1]["updateAvailable"] is available


async def test_a_device_is_found_by_both_its_ids(api, desk):
    for text in ("1", desk.stable_id):
        assert (await answer(api, "GET", f"device/{text}"))[1]["nodeId"] == desk.stable_id


@pytest.mark.parametrize("text", ["2", "desk", "-1", "9" * 19, "9" * 30, "%C3%A4", "1.0", "²"])
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/name", {"name": "x"}),
        ("POST", "/authorized", {"authorized": True}),
        ("POST", "/tags", {"tags": []}),
        ("POST", "/key", {"keyExpiryDisabled": True}),
        ("POST", "/expire", None),
        ("POST", "/ip", {"ipv4": "100.64.0.9"}),
        ("GET", "/routes", None),
        ("POST", "/routes", {"routes": []}),
        ("GET", "/attributes", None),
        ("POST", "/attributes/custom:x", {"value": 1}),
        ("DELETE", "/attributes/custom:x", None),
    ],
)
async def test_a_device_that_is_not_there_is_told_so(api, desk, text, method, rest, body):
    status, told = await answer(api, method, f"device/{text}{rest}", body)
    assert (status, told["status"]) == (404, 404)
    assert "there is no device" in told["message"]


@pytest.fixture
def three(live, desk) -> None:
    """The desk, and two servers, of which one waits for approval."""
    for hostname in ("web", "mail"):
        live.join(hostname, a_key())
    change(live, 2, tags=("tag:prod", "tag:web"), hostinfo=Hostinfo(Hostname="web", OS="linux"))
    change(live, 3, tags=("tag:prod",), hostinfo=Hostinfo(Hostname="mail", OS="freebsd"), authorized=False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Desk of Alice", "web", "mail"]),
        ("fields=default", ["Desk of Alice", "web", "mail"]),
        ("os=linux", ["Desk of Alice", "web"]),
        ("os=Linux", []),
        ("os=linux&os=freebsd", []),
        ("tags=tag:prod", ["web", "mail"]),
        ("tags=tag:prod&tags=tag:web", ["web"]),
        ("tags=tag:prod&authorized=false", ["mail"]),
        ("connectedToControl=true", ["Desk of Alice"]),
        ("id=2", ["web"]),
        ("enabledRoutes=10.0.0.0/24", ["Desk of Alice"]),
        ("addresses=100.64.0.1&fields=all", ["Desk of Alice"]),
        ("lastSeen=2026-03-04T05:06:09.12Z", []),
    ],
)
async def test_devices_are_listed_by_their_properties(api, three, query, found):
    assert await listed(api, query) == found


@pytest.mark.parametrize("query", ["fields=some", "hostnam=web", "clientConnectivity=x", "distro=debian", "node_id=n1"])
async def test_what_cannot_be_asked_for_is_told_so(api, three, query):
    status, told = await answer(api, "GET", f"tailnet/-/devices?{query}")
    assert status == 400
    assert query.partition("=")[0] in told["message"]


async def test_fields_tell_how_much_of_each_device_is_listed(api, three):
    for fields, told in (("default", False), ("all", True), ("default,all", True)):
        _, body = await answer(api, "GET", f"tailnet/-/devices?fields={fields}")
        assert all(("enabledRoutes" in device) is told for device in body["devices"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    words=st.lists(st.tuples(st.sampled_from(["fields", "tags", "os", "id", "x"]) | st.text(), st.text()), max_size=4)
)
async def test_any_question_gets_an_answer_and_never_an_error_of_the_servers(api, desk, words):
    assert (await api("GET", f"/api/v2/tailnet/-/devices?{urlencode(words)}")).status_code in {200, 400}


@given(latency=st.dictionaries(st.text() | st.from_regex(r"[0-9]{1,3}-v[46]", fullmatch=True), st.floats()))
def test_any_latencies_that_a_client_tells_are_shown_or_left_out(latency):
    node = replace(a_node(), hostinfo=Hostinfo(NetInfo=NetInfo(DERPLatency=latency)))
    assert connectivity_json(node, {7: "Seven"}).latency.keys() <= {"Seven"}
