"""API v2: posture attributes of devices."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.tailnet.model import Change, Node
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import Hostinfo

pytestmark = pytest.mark.anyio
ZERO = "0001-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def two(live) -> None:
    """Two devices that nothing is known of."""
    nodes = (replace(a_node(number), attributes={}, attribute_expiries=None, hostinfo=Hostinfo()) for number in (1, 2))
    live.state.apply(Change(tailnet=1, kind="node.registered", puts=tuple(nodes), at=live.clock()))


async def ask(api, method, path, body=None):
    response = await api(method, f"/api/v2/{path}", body)
    told = await response.get_json() if await response.get_data() else None
    return response.status_code, told["message"] if response.status_code >= 400 else told


def of(live, number: int = 1) -> dict[str, object]:
    return live.state.get(Node, number).attributes


@pytest.mark.parametrize("value", ["gold", 80, 1.5, True, False, 0])
async def test_an_attribute_is_set_shown_and_taken_away(live, api, value):
    shown = {"attributes": {"custom:tier": value}, "expiries": {}}
    assert await ask(api, "POST", "device/1/attributes/custom:tier", {"value": value}) == (200, shown)
    assert await ask(api, "GET", "device/1/attributes") == (200, shown)
    for _ in range(2):
        assert await ask(api, "DELETE", "device/1/attributes/custom:tier") == (200, None)
    assert of(live) == {}


async def test_what_a_device_tells_itself_is_shown_too(live, api):
    info = Hostinfo(OS="linux", IPNVersion="1.80.0-t1")
    node = replace(live.state.get(Node, 1), hostinfo=info)
    live.state.apply(Change(tailnet=1, kind="node.updated", puts=(node,), at=live.clock()))
    _, shown = await ask(api, "GET", "device/1/attributes")
    assert shown["attributes"].items() >= {"node:os": "linux", "node:tsVersion": "1.80.0"}.items()


async def test_an_attribute_may_have_an_expiry_for_which_gos_zero_time_is_none(live, api):
    body = {"value": "gold", "expiry": "2030-01-01T01:00:00+01:00", "comment": ""}
    _, shown = await ask(api, "POST", "device/1/attributes/custom:tier", body)
    assert shown["expiries"] == {"custom:tier": "2030-01-01T00:00:00Z"}
    _, shown = await ask(api, "POST", "device/1/attributes/custom:tier", {**body, "expiry": ZERO})
    assert (shown["expiries"], shown["attributes"]) == ({}, {"custom:tier": "gold"})


@pytest.mark.parametrize(
    ("key", "body", "told"),
    [
        ("tier", {"value": "x"}, "custom:"),
        ("node:os", {"value": "x"}, "custom:"),
        ("custom:tier", {"value": "a b"}, "50 letters"),
        ("custom:tier", {"value": 2**53}, "2^53"),
        ("custom:tier", {"value": "x", "expiry": "2020-01-01T00:00:00Z"}, "is over"),
    ],
)
async def test_what_cannot_be_an_attribute_is_refused(api, key, body, told):
    status, message = await ask(api, "POST", f"device/1/attributes/{key}", body)
    assert status == 400
    assert key in message
    assert told in message


async def test_those_of_several_devices_are_set_and_taken_in_one_change(live, api, caplog):
    caplog.set_level(logging.INFO)
    await ask(api, "POST", "device/2/attributes/custom:tier", {"value": "gold"})
    live.log.clear()
    nodes = {
        live.state.get(Node, 1).stable_id: {"custom:tier": {"value": "gold", "expiry": "2030-01-01T00:00:00Z"}},
        "2": {"custom:tier": None, "custom:ok": {"value": True}},
    }
    body = {"nodes": nodes, "comment": "as the inventory has it"}
    assert await ask(api, "PATCH", "tailnet/-/device-attributes", body) == (200, None)
    assert (of(live), of(live, 2), len(live.log)) == ({"custom:tier": "gold"}, {"custom:ok": True}, 1)
    assert "as the inventory has it" in caplog.text


@pytest.mark.parametrize(
    ("nodes", "status", "told"),
    [
        ({"1": {"custom:a": {"value": 1}}, "9": {}}, 404, "'9'"),
        ({"1": {"custom:a": {"value": 1}}, "2": {"a": {"value": 1}}}, 400, "custom:"),
        ({"1": {"custom:a": {"value": 1}}, "n1x1CNTRL": {"custom:a": None}}, 400, "twice"),
    ],
)
async def test_of_several_devices_none_is_changed_where_one_cannot_be(live, api, nodes, status, told):
    got, message = await ask(api, "PATCH", "tailnet/-/device-attributes", {"nodes": nodes})
    assert got == status
    assert told in message
    assert of(live) == {}


JSON = st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.dictionaries(st.text(), inner))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    raw=st.binary() | st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.dictionaries(st.text(), inner))
)
async def test_any_body_gets_an_answer_and_never_an_error_of_the_servers(api, raw):
    for method, path in (("PATCH", "tailnet/-/device-attributes"), ("POST", "device/1/attributes/custom:x")):
        assert (await api(method, f"/api/v2/{path}", raw)).status_code in {200, 400, 404, 422}
