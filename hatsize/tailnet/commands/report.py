"""Reports: what a node tells of itself in map requests (protocol fact sheet, 5.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from hatsize.tailnet.commands.register import with_hostinfo
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire.keys import is_zero
from hatsize.wire.tailcfg import Hostinfo, MapRequest

SINCE_SEPARATE_UPDATES = 68
"""From this capability version on, a streaming request carries no authoritative host information or endpoints."""


@dataclass(frozen=True, slots=True)
class Report:
    """A node as it describes itself now."""

    node: Node
    durable: bool
    """Whether something changed that must not be forgotten: its name, or its approved routes."""


def reported(
    state: State, node: Node, request: MapRequest, auto_approved: Callable[[State, Node], Sequence[str]]
) -> Report | None:
    """The node with what the request says of it, or None when that is nothing new."""
    new = replace(node, cap_version=request.Version or node.cap_version)
    if not is_zero(request.DiscoKey):
        new = replace(new, disco_key=request.DiscoKey)
    authoritative = not request.Stream or request.Version < SINCE_SEPARATE_UPDATES
    if request.Hostinfo is not None and (authoritative or node.hostinfo == Hostinfo()):
        new = _with_hostinfo(state, new, request.Hostinfo, auto_approved)
    if authoritative:
        new = replace(new, endpoints=request.Endpoints, endpoint_types=request.EndpointTypes)
    if new == node:
        return None
    durable = (new.given_name, new.approved_routes) != (node.given_name, node.approved_routes)
    return Report(new, durable)


def _with_hostinfo(
    state: State, node: Node, hostinfo: Hostinfo, auto_approved: Callable[[State, Node], Sequence[str]]
) -> Node:
    new = with_hostinfo(state, node, hostinfo)
    if hostinfo.RoutableIPs != node.hostinfo.RoutableIPs:
        approved = dict.fromkeys((*new.approved_routes, *auto_approved(state, new)))
        new = replace(new, approved_routes=tuple(approved))
    return new
