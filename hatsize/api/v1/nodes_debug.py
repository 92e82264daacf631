"""API v1: a request to a node's own diagnostics, carried out by its client."""

from hatsize.api.problems import bad_request
from hatsize.api.v1.operation import Area, Call, read_id
from hatsize.api.v1.schema import Answer, Body
from hatsize.tailnet.model import Node

area = Area("Nodes")


class DebugNode(Body):
    path: str
    """What is asked of the client, as `/debug/goroutines`."""
    method: str = "GET"
    body: str = ""


class DebugAnswer(Answer):
    status: int
    content_type: str
    body: str
    """What the client answered, as text."""


@area.add("POST", "/node/{nodeId}/debug", "debugNode", "Ask a connected node's client for diagnostics")
async def debug_node(call: Call, node_id: str, body: DebugNode) -> DebugAnswer:
    node = call.live.state.get(Node, read_id(node_id, "a node"))
    try:
        answer = await call.live.ask_node(node.id, body.method, body.path, body.body.encode())
    except ValueError as error:
        raise bad_request(str(error)) from None
    status, content_type, content = answer
    return DebugAnswer(status=status, content_type=content_type, body=content.decode(errors="replace"))
