"""`POST /machine/map`: what a node reports of itself, and its netmap as a stream or once (protocol fact sheet, 5)."""

from quart import Blueprint, Response, request

from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.peer import Peer, body_of, node_of, peer_of, text_answer
from hatsize.control.sessions import Hub
from hatsize.live.tailnet import LiveTailnet
from hatsize.netmap.engine import Reader
from hatsize.netmap.farewell import stranger
from hatsize.tailnet.commands.report import reported
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import MapRequest


def blueprint(live: LiveTailnet, hub: Hub, warnings: ClientWarnings) -> Blueprint:
    """The map endpoint of a tailnet."""
    routes = Blueprint("map", __name__)

    @routes.post("/machine/map")
    async def map_() -> Response:
        peer = peer_of(request)
        wanted = await body_of(request, MapRequest)
        node = node_of(live.state, peer, wanted.NodeKey)
        if node is None:
            await live.refresh()  # it may have registered a moment ago, with another replica
            node = node_of(live.state, peer, wanted.NodeKey)
        if node is None:
            return _unknown(live, peer, wanted)
        if not wanted.ReadOnly:
            node = await _take_report(live, node, wanted)
            warnings.take(node, wanted.DebugFlags)
        reader = Reader(node.id, peer.cap_version, zstd=wanted.Compress == "zstd")
        if wanted.Stream:
            hub.open(reader, node, request.scope["extensions"]["hatsize.sink"]())  # type: ignore[operator]
            return Response(b"")
        if wanted.OmitPeers:
            return Response(b"")
        return Response(live.netmap.next(reader) or b"", content_type="application/octet-stream")

    return routes


async def _take_report(live: LiveTailnet, node: Node, wanted: MapRequest) -> Node:
    """Note what the request says of the node; the node as it is afterwards."""
    report = reported(live.state, node, wanted, live.auto_approved)
    if report is None:
        return node
    if not report.durable:
        live.report(report)
        return report.node

    def command(state: State) -> Change | None:
        current = state.find(Node, node.id)
        again = current and reported(state, current, wanted, live.auto_approved)
        if not again:
            return None
        return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(again.node,), actor="node", at=live.clock())

    await live.run(command)
    return live.state.find(Node, node.id) or node


def _unknown(live: LiveTailnet, peer: Peer, wanted: MapRequest) -> Response:
    """A node key nobody has: the client is told that it expired, so that it asks for a new login, not that it is
    lost."""
    if wanted.NodeKey in live.state.index.node_by_key:
        return text_answer("the node key belongs to another machine", 403)
    if not wanted.Stream:
        return text_answer("no such node", 404)
    zstd = wanted.Compress == "zstd"
    message = stranger(wanted.NodeKey, peer.machine_key, live.terms.base_domain, live.clock(), zstd=zstd)
    return Response(message, content_type="application/octet-stream")
