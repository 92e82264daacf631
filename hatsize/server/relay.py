"""The embedded relay, and who may use it."""

from hatsize.derp.server import DerpServer
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, Node
from hatsize.wire.keys import NodeKey, PrivateKey


def embedded_relay(live: LiveTailnet, key: PrivateKey, *, verify_clients: bool) -> DerpServer:
    """A relay that lets the tailnet's nodes in, the newest at once, and cuts off those that are deleted."""
    state = live.state

    async def admit(node_key: NodeKey, address: str) -> bool:
        del address
        return not verify_clients or node_key in state.index.node_by_key

    relay = DerpServer(key, admit=admit)
    known = {node.id: node.node_key for node in state.all(Node)}

    def heard(change: Change) -> None:
        for table, record_id in change.deletes:
            if table == Node.table and record_id in known:
                relay.evict(known.pop(record_id))
        for record in change.puts:
            if isinstance(record, Node):
                known[record.id] = record.node_key

    live.listen(heard)
    return relay
