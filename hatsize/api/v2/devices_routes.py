"""API v2: the routes of a device."""

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Body
from hatsize.api.v2.device import node_of
from hatsize.tailnet.commands.nodes_routes import approve_routes
from hatsize.tailnet.model import Node

area = Area("Devices")


class DeviceRoutes(Answer):
    advertised_routes: list[str]
    enabled_routes: list[str]
    """Those it may serve; it need not advertise them yet."""


class SetRoutes(Body):
    routes: list[str] | None
    """Go clients write null for none."""


@area.add(
    "GET", "/device/{deviceId}/routes", "listDeviceRoutes",
    "Show the routes a device advertises, and those it may serve", scope="devices:routes:read",
)  # fmt: skip
async def get_routes(call: Call, device_id: str) -> DeviceRoutes:
    return _routes(node_of(call.live.state, device_id))


@area.add(
    "POST", "/device/{deviceId}/routes", "setDeviceRoutes",
    "Set the routes a device may serve, instead of those before", scope="devices:routes",
)  # fmt: skip
async def set_routes(call: Call, device_id: str, body: SetRoutes) -> DeviceRoutes:
    number, wanted = node_of(call.live.state, device_id).id, body.routes or []
    return _routes(await call.put(Node, lambda state: approve_routes(state, number, wanted, call.now)))


def _routes(node: Node) -> DeviceRoutes:
    return DeviceRoutes(advertised_routes=list(node.advertised_routes), enabled_routes=list(node.approved_routes))
