"""API v1: nodes, and what an administrator does to one."""

from datetime import UTC

from msgspec import field
from msgspec.structs import replace

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.reading import read_id
from hatsize.api.schema import Body, Moment, Nothing, Query
from hatsize.api.v1.render import TAGGED_DEVICES, node_json
from hatsize.api.v1.schema import NodeAnswer, NodeJson, NodesAnswer
from hatsize.hooks.ipam import NoAddressError
from hatsize.tailnet.commands import nodes, nodes_routes
from hatsize.tailnet.commands.addresses import set_addresses
from hatsize.tailnet.commands.users import user_named
from hatsize.tailnet.model import Node

area = Area("Nodes")


class ListNodes(Query):
    user: str = ""


class ExpireNode(Body):
    expiry: Moment | None = None
    disable_expiry: bool = False


class SetTags(Body):
    tags: list[str] = field(default_factory=list)


class SetAddresses(Body):
    addresses: list[str]
    """One of a family; a family that is not named keeps what it has."""


class SetApprovedRoutes(Body):
    routes: list[str] = field(default_factory=list)


class MoveNode(Body):
    user: str | int
    """The user's id; some consoles send it as a number."""


@area.add("GET", "/node", "listNodes", "List nodes, all or a user's")
async def list_nodes(call: Call, query: ListNodes) -> NodesAnswer:
    state = call.live.state
    found = sorted(state.all(Node), key=lambda node: node.id)
    if query.user:
        user_id = user_named(state, query.user).id
        found = [node for node in found if node.user_id == user_id and not node.tags]
    return NodesAnswer(nodes=[_listed(call, node) for node in found])


@area.add("GET", "/node/{nodeId}", "getNode", "Show a node")
async def get_node(call: Call, node_id: str) -> NodeAnswer:
    return _answer(call, call.live.state.get(Node, _id(node_id)))


@area.add("POST", "/node/{nodeId}/approve", "approveNode", "Let a node that waits for approval take part")
async def approve_node(call: Call, node_id: str) -> NodeAnswer:
    number = _id(node_id)
    await call.run(lambda state: nodes.approve_node(state, number, call.now))
    return _answer(call, call.live.state.get(Node, number))


@area.add("DELETE", "/node/{nodeId}", "deleteNode", "Remove a node")
async def delete_node(call: Call, node_id: str) -> Nothing:
    number = _id(node_id)
    await call.run(lambda state: nodes.delete_node(state, number, call.now))
    return Nothing()


@area.add("POST", "/node/{nodeId}/expire", "expireNode", "Expire a node's key, now or at a time, or never")
async def expire_node(call: Call, node_id: str, body: ExpireNode | None) -> NodeAnswer:
    number, wanted = _id(node_id), body or ExpireNode()
    if wanted.disable_expiry and wanted.expiry:
        raise bad_request("give either expiry or disableExpiry, and not both")
    expiry = None if wanted.disable_expiry else (wanted.expiry or call.now).astimezone(UTC)
    return _answer(call, await call.put(Node, lambda state: nodes.expire_node(state, number, expiry, call.now)))


@area.add("POST", "/node/{nodeId}/rename/{newName}", "renameNode", "Rename a node")
async def rename_node(call: Call, node_id: str, new_name: str) -> NodeAnswer:
    number = _id(node_id)
    return _answer(call, await call.put(Node, lambda state: nodes.rename_node(state, number, new_name, call.now)))


@area.add("POST", "/node/{nodeId}/tags", "setTags", "Set a node's tags, instead of those it has")
async def set_tags(call: Call, node_id: str, body: SetTags) -> NodeAnswer:
    number, known = _id(node_id), call.live.policy.knows_tag
    return _answer(call, await call.put(Node, lambda state: nodes.set_tags(state, number, body.tags, known, call.now)))


@area.add("POST", "/node/{nodeId}/user", "moveNode", "Give a node to another user")
async def move_node(call: Call, node_id: str, body: MoveNode) -> NodeAnswer:
    number, user_id = _id(node_id), read_id(str(body.user), "a user")
    return _answer(call, await call.put(Node, lambda state: nodes.move_node(state, number, user_id, call.now)))


@area.add("POST", "/node/{nodeId}/addresses", "setAddresses", "Give a node an address of your choice, of each family")
async def set_node_addresses(call: Call, node_id: str, body: SetAddresses) -> NodeAnswer:
    number, chosen = _id(node_id), body.addresses
    try:
        await call.run(lambda state: set_addresses(state, number, chosen, call.live.addresses, call.now))
    except NoAddressError as error:
        raise bad_request(str(error)) from None
    return _answer(call, call.live.state.get(Node, number))


@area.add("POST", "/node/{nodeId}/approve_routes", "setApprovedRoutes", "Set the routes a node may serve")
async def set_approved_routes(call: Call, node_id: str, body: SetApprovedRoutes) -> NodeAnswer:
    number = _id(node_id)
    node = await call.put(Node, lambda state: nodes_routes.approve_routes(state, number, body.routes, call.now))
    shown = node_json(call.live, node)
    # Headscale's answer here, unlike its list, tells of no exit routes.
    subnets = [route for route in shown.subnet_routes if route not in nodes_routes.EXIT_ROUTES]
    return NodeAnswer(node=replace(shown, subnet_routes=subnets))


def _id(text: str) -> int:
    return read_id(text, "a node")


def _answer(call: Call, node: Node) -> NodeAnswer:
    return NodeAnswer(node=node_json(call.live, node))


def _listed(call: Call, node: Node) -> NodeJson:
    shown = node_json(call.live, node)
    return replace(shown, user=TAGGED_DEVICES) if node.tags else shown
