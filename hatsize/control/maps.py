"""`POST /machine/map`: what a node reports of itself, and its netmap as a stream or once (protocol fact sheet, 5)."""

from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.direct import Answered, Asked, Endpoint, in_words
from hatsize.control.peer import Peer, node_of
from hatsize.control.sessions import Hub
from hatsize.live.tailnet import LiveTailnet
from hatsize.netmap.engine import Reader
from hatsize.netmap.farewell import stranger
from hatsize.tailnet.commands.report import reported
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.capver import refusal
from hatsize.wire.tailcfg import MapRequest


def endpoint(live: LiveTailnet, hub: Hub, warnings: ClientWarnings) -> Endpoint:
    """The map endpoint of a tailnet."""

    async def map_(asked: Asked) -> Answered:
        words = refusal(asked.peer.cap_version)
        if words is not None:
            return in_words(words, 400)
        wanted = asked.read(MapRequest)
        node = node_of(live.state, asked.peer, wanted.NodeKey)
        if node is None:
            await live.refresh()  # it may have registered a moment ago, with another replica
            node = node_of(live.state, asked.peer, wanted.NodeKey)
        if node is None:
            return _unknown(live, asked.peer, wanted)
        if not wanted.ReadOnly:
            node = await _take_report(live, node, wanted)
            warnings.take(node, wanted.DebugFlags)
        reader = Reader(node.id, asked.peer.cap_version, zstd=wanted.Compress == "zstd")
        if wanted.Stream:
            hub.open(reader, node, asked.take_over())
            return Answered()
        return Answered() if wanted.OmitPeers else Answered(live.netmap.next(reader) or b"")

    return map_


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


def _unknown(live: LiveTailnet, peer: Peer, wanted: MapRequest) -> Answered:
    """A node key nobody has: the client is told that it expired, so that it asks for a new login, not that it is
    lost."""
    if wanted.NodeKey in live.state.index.node_by_key:
        return in_words("the node key belongs to another machine", 403)
    if not wanted.Stream:
        return in_words("no such node", 404)
    zstd = wanted.Compress == "zstd"
    message = stranger(wanted.NodeKey, peer.machine_key, live.terms.base_domain, live.clock(), zstd=zstd)
    return Answered(message)
