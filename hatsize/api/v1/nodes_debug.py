"""API v1: asking a node's own client: diagnostics, and pings."""

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.reading import read_id
from hatsize.api.schema import Answer, Body
from hatsize.tailnet.model import Node

area = Area("Nodes")


class DebugNode(Body):
    path: str
    """What is asked of the client, as `/debug/goroutines`."""
    method: str = "GET"
    body: str = ""


class PingNode(Body):
    to: str = ""
    """The id of another node, to be told how the node reaches that one."""


class PingAnswer(Answer):
    milliseconds: float
    path: str
    """How the other one was reached: `10.0.0.1:41641`, or `relay CODE`; empty for the node's own answer."""


class DebugAnswer(Answer):
    status: int
    content_type: str
    body: str
    """What the client answered, as text."""


@area.add("POST", "/node/{nodeId}/ping", "pingNode", "Ask a connected node for a sign of life, or to ping another one")
async def ping_node(call: Call, node_id: str, body: PingNode | None) -> PingAnswer:
    state = call.live.state
    node = state.get(Node, read_id(node_id, "a node"))
    other = state.get(Node, read_id(body.to, "a node")) if body and body.to else None
    answer = await call.live.ping_node(node.id, other.addresses[0] if other else "")
    return PingAnswer(milliseconds=round(answer.milliseconds, 3), path=answer.path)


@area.add("POST", "/node/{nodeId}/debug", "debugNode", "Ask a connected node's client for diagnostics")
async def debug_node(call: Call, node_id: str, body: DebugNode) -> DebugAnswer:
    node = call.live.state.get(Node, read_id(node_id, "a node"))
    try:
        answer = await call.live.ask_node(node.id, body.method, body.path, body.body.encode())
    except ValueError as error:
        raise bad_request(str(error)) from None
    status, content_type, content = answer
    return DebugAnswer(status=status, content_type=content_type, body=content.decode(errors="replace"))
