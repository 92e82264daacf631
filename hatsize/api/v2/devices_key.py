"""API v2: when a device's key expires."""

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Body
from hatsize.api.v2.device import node_of
from hatsize.tailnet.commands.nodes import enable_expiry, expire_node

area = Area("Devices")


class SetKey(Body):
    key_expiry_disabled: bool


@area.add(
    "POST", "/device/{deviceId}/key", "updateDeviceKey",
    "Disable the expiry of a device's key, or enable it as it was before", scope="devices:core",
)  # fmt: skip
async def set_key(call: Call, device_id: str, body: SetKey) -> None:
    number, lasts = node_of(call.live.state, device_id).id, call.live.terms.key_expiry
    if body.key_expiry_disabled:
        await call.run(lambda state: expire_node(state, number, None, call.now))
    else:
        await call.run(lambda state: enable_expiry(state, number, lasts, call.now))


@area.add(
    "POST", "/device/{deviceId}/expire", "expireDeviceKey", "Expire a device's key now, so that it must log in again",
    scope="devices:core",
)  # fmt: skip
async def expire_key(call: Call, device_id: str) -> None:
    number = node_of(call.live.state, device_id).id
    await call.run(lambda state: expire_node(state, number, call.now, call.now))
