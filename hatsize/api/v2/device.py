"""A node as API v2 shows it: a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hatsize.api.contract import Live
from hatsize.api.reading import number_of
from hatsize.api.schema import Answer, Time, go_time
from hatsize.api.v2.device_connectivity import ConnectivityJson, connectivity_json
from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import Hostinfo

TAGGED_DEVICES = "tagged-devices"
"""Whose a device is that no user has made."""


class DistroJson(Answer):
    """The distribution of an operating system."""

    name: str
    version: str
    code_name: str


class DeviceJson(Answer, kw_only=True):
    addresses: list[str]
    id: str
    """The older, numeric id; the other one is preferred, and either will do in a path."""
    node_id: str
    user: str
    """The login name of who registered it."""
    name: str
    """In MagicDNS, without a dot at the end."""
    hostname: str
    client_version: str
    update_available: bool
    os: str
    created: Time
    connected_to_control: bool
    last_seen: Time | UnsetType = UNSET
    """Absent while it is connected, and where it never was."""
    key_expiry_disabled: bool
    expires: Time
    """When its key expires, or would if expiry were not disabled; Go's zero time for neither."""
    authorized: bool
    is_external: bool = False
    machine_key: str
    node_key: str
    blocks_incoming_connections: bool
    tailnet_lock_key: str
    tailnet_lock_error: str = ""
    tags: list[str]
    is_ephemeral: bool
    enabled_routes: list[str] | UnsetType = UNSET
    """This and what follows is told where all fields are asked for."""
    advertised_routes: list[str] | UnsetType = UNSET
    client_connectivity: ConnectivityJson | UnsetType = UNSET
    ssh_enabled: bool | UnsetType = UNSET
    distro: DistroJson | UnsetType = UNSET
    """Absent too where the client has not said."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a device is shown with, the same for all of them."""

    live: Live
    base_domain: str
    regions: Mapping[int, str]
    """The relays' names by number."""

    @classmethod
    def of(cls, live: Live) -> Self:
        regions = {number: region.RegionName for number, region in (live.derp_map().Regions or {}).items() if region}
        return cls(live, live.dns.base_domain, regions)

    def is_outdated(self, node: Node) -> bool:
        """Whether the settings name a newer client than the node's."""
        noticed = self.live.terms.notices.of(node, {}).client_version
        return noticed is not None and not noticed.RunningLatest


def device_json(around: Surroundings, node: Node) -> DeviceJson:
    """A node with the fields that are always told."""
    info, online = node.hostinfo, around.live.is_online(node.id)
    return DeviceJson(
        addresses=list(node.addresses),
        id=str(node.id),
        node_id=node.stable_id,
        user=_user(around.live.state, node),
        name=f"{node.given_name}.{around.base_domain}",
        hostname=info.Hostname or node.given_name,
        client_version=info.IPNVersion,
        update_available=around.is_outdated(node),
        os=info.OS,
        created=go_time(node.created),
        connected_to_control=online,
        last_seen=go_time(node.last_seen) if node.last_seen and not online else UNSET,
        key_expiry_disabled=node.key_expiry is None,
        expires=go_time(node.key_expiry or node.former_expiry),
        authorized=node.authorized,
        machine_key=node.machine_key,
        node_key=node.node_key,
        blocks_incoming_connections=info.ShieldsUp,
        tailnet_lock_key=node.nl_key,
        tags=list(node.tags),
        is_ephemeral=node.ephemeral,
    )


def whole_device_json(around: Surroundings, node: Node) -> DeviceJson:
    """A node with all fields."""
    return replace(
        device_json(around, node),
        enabled_routes=list(node.approved_routes),
        advertised_routes=list(node.advertised_routes),
        client_connectivity=connectivity_json(node, around.regions),
        ssh_enabled=bool(node.hostinfo.SSHHostKeys),
        distro=_distro(node.hostinfo),
    )


def node_of(state: State, text: str) -> Node:
    """The node that a path's `deviceId` names, by its stable id or the numeric one; raises NotFoundError."""
    number = state.index.node_by_stable_id.get(text)
    node = state.find(Node, number_of(text) if number is None else number)
    if node is None:
        raise NotFoundError(f"there is no device {text[:80]!r}: GET /api/v2/tailnet/-/devices lists them")
    return node


def _user(state: State, node: Node) -> str:
    user = state.find(User, node.user_id)
    return user.login_name if user else TAGGED_DEVICES


def _distro(info: Hostinfo) -> DistroJson | UnsetType:
    if not info.Distro:
        return UNSET
    return DistroJson(name=info.Distro, version=info.DistroVersion, code_name=info.DistroCodeName)
