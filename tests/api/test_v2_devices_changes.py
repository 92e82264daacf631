"""API v2: what is done to a device, and what is refused, in words."""

import dataclasses
import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from hatsize.hooks.ipam import NoAddressError
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node
from hatsize.wire.tailcfg import Hostinfo

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(live) -> Node:
    """Alice's machine, with an expiry and the old name of its host."""
    live.add_users("alice")
    key = Credential(id=1, kind=CredentialKind.AUTH_KEY, prefix="k", hash="", user_id=1, created=live.clock())
    live.join("old", key, routes=["10.0.0.0/24"])
    return change(live, hostinfo=Hostinfo(Hostname="desk", RoutableIPs=("10.0.0.0/24",)), ipv4="100.64.0.1")


def change(live, **fields) -> Node:
    node = replace(live.state.get(Node, 1), **fields)
    live.state.apply(Change(tailnet=1, kind="node.updated", puts=(node,), at=live.clock()))
    return node


def now(live) -> Node:
    return live.state.get(Node, 1)


async def ask(api, method, rest, body=None):
    """The status, and what was answered: nothing, JSON, or a refusal's words."""
    response = await api(method, f"/api/v2/device/1{rest}", body)
    told = await response.get_json() if await response.get_data() else None
    return response.status_code, told["message"] if response.status_code >= 400 else told


async def test_a_device_is_removed(live, api, desk):
    assert await ask(api, "DELETE", "") == (200, None)
    assert live.state.find(Node, 1) is None


async def test_approval_is_taken_back_and_given(live, api, desk):
    for authorized in (False, False, True, True):
        assert await ask(api, "POST", "/authorized", {"authorized": authorized}) == (200, None)
        assert now(live).authorized is authorized
    assert [change.kind for change in live.log] == ["node.held", "node.authorized"]


@pytest.mark.parametrize(("given", "name"), [("pc", "pc"), ("pc.net.example", "pc"), ("", "desk")])
async def test_a_device_is_renamed_or_named_by_its_host(live, api, desk, given, name):
    assert await ask(api, "POST", "/name", {"name": given}) == (200, None)
    assert now(live).given_name == name


@pytest.mark.parametrize("given", ["PC", "pc.other.example", "-", "a b"])
async def test_what_is_no_name_is_refused(api, desk, given):
    assert (await ask(api, "POST", "/name", {"name": given}))[0] == 400


async def with_policy(api, *tags: str) -> None:
    await api("PUT", "/api/v1/policy", {"policy": json.dumps({"tagOwners": {tag: [] for tag in tags}})})


async def test_tags_are_set(live, api, desk):
    await with_policy(api, "tag:web", "tag:prod")
    assert await ask(api, "POST", "/tags", {"tags": ["tag:web", "tag:prod"]}) == (200, None)
    assert now(live).tags == ("tag:prod", "tag:web")


async def test_no_tags_are_nothing_new_to_an_untagged_device_and_refused_to_a_tagged_one(live, api, desk):
    assert await ask(api, "POST", "/tags", {"tags": []}) == (200, None)
    assert await ask(api, "POST", "/tags", {"tags": None}) == (200, None)
    change(live, tags=("tag:web",))
    status, told = await ask(api, "POST", "/tags", {"tags": []})
    assert (status, "log it in again" in told) == (400, True)


@pytest.mark.parametrize(("tag", "told"), [("web", "tag:"), ("tag:unknown", "tagOwners")])
async def test_a_tag_that_the_policy_does_not_know_is_refused(api, desk, tag, told):
    status, message = await ask(api, "POST", "/tags", {"tags": [tag]})
    assert status == 400
    assert told in message


async def test_a_token_gives_its_clients_tags_alone(live, api, desk, token):
    await with_policy(api, "tag:web", "tag:prod")
    how = {"headers": {"Authorization": f"Bearer {token('devices:core', tags=('tag:web',))}"}, "local": False}
    for tag, status in (("tag:prod", 403), ("tag:web", 200)):
        response = await api("POST", "/api/v2/device/1/tags", {"tags": [tag]}, **how)
        assert response.status_code == status


async def test_expiry_is_disabled_and_enabled_as_it_was(live, api, desk):
    before = change(live, key_expiry=live.clock() + timedelta(days=9)).key_expiry
    for disabled in (True, True, False, False):
        assert await ask(api, "POST", "/key", {"keyExpiryDisabled": disabled}) == (200, None)
        assert now(live).key_expiry == (None if disabled else before)
        shown = (await ask(api, "GET", ""))[1]
        assert (shown["keyExpiryDisabled"], shown["expires"][:10]) == (disabled, f"{before:%Y-%m-%d}")


@pytest.mark.parametrize(("lasts", "days"), [(None, None), (timedelta(days=30), 30)])
async def test_expiry_that_never_was_is_enabled_by_the_settings(live, api, desk, lasts, days):
    live.configured = dataclasses.replace(live.configured, key_expiry=lasts)
    assert await ask(api, "POST", "/key", {"keyExpiryDisabled": False}) == (200, None)
    assert (now(live).key_expiry and (now(live).key_expiry - desk.created).days) == days


async def test_a_device_expires_now(live, api, desk):
    assert await ask(api, "POST", "/expire") == (200, None)
    assert now(live).key_expiry <= live.clock()


async def test_a_device_is_given_an_address(live, api, desk, monkeypatch):
    monkeypatch.setattr(live, "addresses", lambda _, node: (node.ipv4, node.ipv6))
    assert await ask(api, "POST", "/ip", {"ipv4": "100.64.7.7"}) == (200, None)
    assert now(live).ipv4 == "100.64.7.7"


@pytest.mark.parametrize("given", ["", "x", "100.64.0", "fd7a:115c:a1e0::7", "100.64.0.1/32", "10.0.0.1"])
async def test_what_is_no_address_of_the_tailnet_is_refused(api, desk, given):
    status, told = await ask(api, "POST", "/ip", {"ipv4": given})
    assert status == 400
    assert repr(given) in told or given in told


async def test_where_addresses_are_used_up_it_is_told(live, api, desk, monkeypatch):
    def none_left(*_):
        raise NoAddressError("no address is left")

    monkeypatch.setattr(live, "addresses", none_left)
    assert await ask(api, "POST", "/ip", {"ipv4": "100.64.7.7"}) == (400, "no address is left")


async def test_routes_are_enabled_before_and_after_they_are_advertised(live, api, desk):
    shown = {"advertisedRoutes": ["10.0.0.0/24"], "enabledRoutes": []}
    assert await ask(api, "GET", "/routes") == (200, shown)
    shown["enabledRoutes"] = ["10.0.0.0/24", "192.0.2.0/24"]
    assert await ask(api, "POST", "/routes", {"routes": ["192.0.2.0/24", "10.0.0.0/24"]}) == (200, shown)
    assert await ask(api, "GET", "/routes") == (200, shown)
    shown["enabledRoutes"] = []
    assert await ask(api, "POST", "/routes", {"routes": None}) == (200, shown)


@pytest.mark.parametrize("route", ["10.0.0.1/24", "x", "10.0.0.0"])
async def test_what_is_no_route_is_refused(api, desk, route):
    status, told = await ask(api, "POST", "/routes", {"routes": [route]})
    assert (status, route in told) == (400, True)


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("/authorized", {}),
        ("/authorized", {"authorized": "yes"}),
        ("/name", {"name": 5}),
        ("/tags", {"tags": "tag:web"}),
        ("/tags", {"tag": []}),
        ("/key", {}),
        ("/key", {"keyExpiryDisabled": None}),
        ("/ip", {}),
        ("/routes", {}),
        ("/routes", [1]),
        ("/attributes/custom:x", {}),
        ("/attributes/custom:x", {"value": None}),
        ("/attributes/custom:x", {"value": 1, "comment": "x" * 201}),
    ],
)
async def test_a_body_of_another_form_is_told_what_is_wrong(api, desk, rest, body):
    status, told = await ask(api, "POST", rest, body)
    assert (status, told[:26]) == (422, "the body is not as expecte")
