"""Who is at the other end of the tunnel, and what it sent."""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from quart import Request, Response

from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire import tailcfg
from hatsize.wire.keys import MachineKey, NodeKey

W = TypeVar("W", bound=tailcfg.Wire)
NO_NODE = "no such node, or its key is another machine's"


@dataclass(frozen=True, slots=True)
class Peer:
    """A machine that has proven its key in the handshake."""

    machine_key: MachineKey
    cap_version: int


class NoNodeError(Exception):
    """A request speaks for a node that is not there, or is another machine's."""


def peer_in(scope: Any) -> Peer:
    """The machine behind an ASGI scope in the tunnel."""
    state = scope["state"]
    return Peer(machine_key=state["machine_key"], cap_version=state["cap_version"])


def peer_of(request: Request) -> Peer:
    """The machine behind a request in the tunnel."""
    return peer_in(request.scope)


async def body_of(request: Request, kind: type[W]) -> W:
    """The request's JSON; raises WireError."""
    return tailcfg.decode(kind, cast("bytes", await request.get_data(cache=False)))


def node_of(state: State, peer: Peer, node_key: NodeKey) -> Node | None:
    """The node a request speaks for: the one with this node key, if it is this machine's."""
    node = state.find(Node, state.index.node_by_key.get(node_key))
    return node if node is not None and node.machine_key == peer.machine_key else None


def asking_node(state: State, request: Request, node_key: NodeKey) -> Node:
    """The node a request speaks for; raises NoNodeError, which is answered with status 403."""
    node = node_of(state, peer_of(request), node_key)
    if node is None:
        raise NoNodeError
    return node


def json_answer(value: object, status: int = 200) -> Response:
    return Response(tailcfg.encode(value), status, content_type="application/json")


def text_answer(text: str, status: int) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
