"""API v2: posture attributes of devices."""

import logging
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Answer, Body, Moment, Time, go_time
from hatsize.api.v2.device import node_of
from hatsize.policy.classes import posture_attributes
from hatsize.tailnet.commands.attributes import Given, Passing, set_attributes, set_attributes_of
from hatsize.tailnet.model import Node

area = Area("Devices")
log = logging.getLogger(__name__)
NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""The time that Go clients send for none."""

Comment = Annotated[str, Meta(max_length=200)]
"""Why something is set; it goes to the server's log."""


class AttributesAnswer(Answer):
    attributes: dict[str, str | float | bool]
    """Those that were set, and those that are known of every device, as `node:os`."""
    expiries: dict[str, Time]
    """When attributes are forgotten, of those that are."""


class AttributeValue(Body):
    value: str | int | float | bool
    expiry: Moment | None = None
    """When it is forgotten."""


class SetAttribute(AttributeValue):
    comment: Comment = ""


class SetAttributes(Body):
    nodes: dict[str, dict[str, AttributeValue | None]]
    """By the device's id and the attribute's name; null takes an attribute away."""
    comment: Comment = ""


@area.add(
    "GET", "/device/{deviceId}/attributes", "getDevicePostureAttributes", "Show a device's posture attributes",
    scope="devices:posture_attributes:read",
)  # fmt: skip
async def get_attributes(call: Call, device_id: str) -> AttributesAnswer:
    return _answer(node_of(call.live.state, device_id))


@area.add(
    "POST", "/device/{deviceId}/attributes/{attributeKey}", "setCustomDevicePostureAttributes",
    "Set a posture attribute of a device", scope="devices:posture_attributes",
)  # fmt: skip
async def set_attribute(call: Call, device_id: str, attribute_key: str, body: SetAttribute) -> AttributesAnswer:
    number, update = node_of(call.live.state, device_id).id, {attribute_key: _given(body)}
    await call.run(lambda state: set_attributes(state, number, update, call.now, actor=call.principal.actor))
    _note(call, [device_id], body.comment)
    return _answer(call.live.state.get(Node, number))


@area.add(
    "DELETE", "/device/{deviceId}/attributes/{attributeKey}", "deleteCustomDevicePostureAttributes",
    "Take a posture attribute from a device", scope="devices:posture_attributes",
)  # fmt: skip
async def delete_attribute(call: Call, device_id: str, attribute_key: str) -> None:
    number = node_of(call.live.state, device_id).id
    await call.run(
        lambda state: set_attributes(state, number, {attribute_key: None}, call.now, actor=call.principal.actor)
    )


@area.add(
    "PATCH", "/tailnet/{tailnet}/device-attributes", "batchUpdateCustomDevicePostureAttributes",
    "Set and take posture attributes of several devices, all of them or none", scope="devices:posture_attributes",
)  # fmt: skip
async def update_attributes(call: Call, body: SetAttributes) -> None:
    updates: dict[int, dict[str, Given]] = {}
    for device, update in body.nodes.items():
        number = node_of(call.live.state, device).id
        if number in updates:
            raise bad_request(f"the device {device[:80]!r} is named twice, by both its ids: name it once")
        updates[number] = {name: _given(value) if value else None for name, value in update.items()}
    await call.run(lambda state: set_attributes_of(state, updates, call.now, actor=call.principal.actor))
    _note(call, list(body.nodes), body.comment)


def _given(body: AttributeValue) -> Given:
    expiry = body.expiry.astimezone(UTC) if body.expiry and body.expiry != NEVER else None
    return Passing(body.value, expiry) if expiry else body.value


def _note(call: Call, devices: list[str], comment: str) -> None:
    if comment:
        named = ", ".join(devices[:5]) + ("…" if len(devices) > 5 else "")
        log.info("%s set posture attributes of %s: %r", call.principal.actor, named, comment)


def _answer(node: Node) -> AttributesAnswer:
    return AttributesAnswer(
        attributes=dict(posture_attributes(node)),
        expiries={name: go_time(expiry) for name, expiry in (node.attribute_expiries or {}).items()},
    )
