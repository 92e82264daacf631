"""API v2: devices, and what an administrator does to one."""

from ipaddress import IPv4Address

from werkzeug.datastructures import MultiDict

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Answer, Body, Query
from hatsize.api.v2.device import DeviceJson, Surroundings, device_json, node_of, whole_device_json
from hatsize.api.v2.device_fields import checked_filters, is_wanted, wants_all
from hatsize.api.v2.tags import check_tags
from hatsize.hooks.ipam import NoAddressError
from hatsize.tailnet.commands import nodes
from hatsize.tailnet.commands.addresses import set_addresses
from hatsize.tailnet.model import Node

area = Area("Devices")


class Fields(Query):
    fields: str = ""
    """`all` or `default`."""


class DevicesAnswer(Answer):
    devices: list[DeviceJson]


class Authorize(Body):
    authorized: bool


class SetName(Body):
    name: str = ""
    """With the tailnet's domain or without; empty for one made from the host's."""


class SetTags(Body):
    tags: list[str] | None = None


class SetIp(Body):
    ipv4: str


@area.add(
    "GET", "/tailnet/{tailnet}/devices", "listTailnetDevices",
    "List devices, all or those whose properties have the values of the other parameters", scope="devices:core:read",
)  # fmt: skip
async def list_devices(call: Call, query: Fields) -> DevicesAnswer:
    whole, filters = wants_all(query.fields), checked_filters(dict(MultiDict(call.parameters).lists()))
    around, shown = Surroundings.of(call.live), whole_device_json if whole else device_json
    nodes_by_id = sorted(call.live.state.all(Node), key=lambda node: node.id)
    if filters:
        nodes_by_id = [node for node in nodes_by_id if is_wanted(whole_device_json(around, node), filters)]
    return DevicesAnswer(devices=[shown(around, node) for node in nodes_by_id])


@area.add("GET", "/device/{deviceId}", "getDevice", "Show a device", scope="devices:core:read")
async def get_device(call: Call, device_id: str, query: Fields) -> DeviceJson:
    shown = whole_device_json if wants_all(query.fields) else device_json
    return shown(Surroundings.of(call.live), node_of(call.live.state, device_id))


@area.add("DELETE", "/device/{deviceId}", "deleteDevice", "Remove a device", scope="devices:core")
async def delete_device(call: Call, device_id: str) -> None:
    number = node_of(call.live.state, device_id).id
    await call.run(lambda state: nodes.delete_node(state, number, call.now))


@area.add(
    "POST", "/device/{deviceId}/authorized", "authorizeDevice", "Approve a device, or take its approval back",
    scope="devices:core",
)  # fmt: skip
async def authorize_device(call: Call, device_id: str, body: Authorize) -> None:
    number = node_of(call.live.state, device_id).id
    command = nodes.approve_node if body.authorized else nodes.hold_node
    await call.run(lambda state: command(state, number, call.now))


@area.add("POST", "/device/{deviceId}/name", "setDeviceName", "Rename a device", scope="devices:core")
async def set_name(call: Call, device_id: str, body: SetName) -> None:
    number = node_of(call.live.state, device_id).id
    name = body.name.removesuffix(f".{call.live.dns.base_domain}")
    if name:
        await call.run(lambda state: nodes.rename_node(state, number, name, call.now))
    else:
        await call.run(lambda state: nodes.rename_by_host(state, number, call.now))


@area.add(
    "POST", "/device/{deviceId}/tags", "setDeviceTags", "Set a device's tags, instead of those it has",
    scope="devices:core",
)  # fmt: skip
async def set_tags(call: Call, device_id: str, body: SetTags) -> None:
    node, tags, known = node_of(call.live.state, device_id), body.tags or [], call.live.policy.knows_tag
    check_tags(call, tags)
    if tags or node.tags:
        await call.run(lambda state: nodes.set_tags(state, node.id, tags, known, call.now))


@area.add(
    "POST", "/device/{deviceId}/ip", "setDeviceIp", "Give a device an IPv4 address of your choice", scope="devices:core"
)
async def set_ip(call: Call, device_id: str, body: SetIp) -> None:
    number = node_of(call.live.state, device_id).id
    try:
        IPv4Address(body.ipv4)
    except ValueError:
        raise bad_request(f"{body.ipv4[:60]!r} is not an IPv4 address: give one such as 100.64.7.7") from None
    try:
        await call.run(lambda state: set_addresses(state, number, [body.ipv4], call.live.addresses, call.now))
    except NoAddressError as error:
        raise bad_request(str(error)) from None
