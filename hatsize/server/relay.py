"""Who may use the server's own relay, in its process or beside it."""

from collections.abc import Callable

from hatsize.derp.server import DerpServer
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, Node
from hatsize.wire.keys import NodeKey, PrivateKey

RELAY_KEY = "derp.key"
"""The relay's private key in the data directory."""


def embedded_relay(live: LiveTailnet, key: PrivateKey, *, verify_clients: bool) -> DerpServer:
    """A relay that lets the tailnet's nodes in, the newest at once, and cuts off those that are deleted."""

    async def admit(node_key: NodeKey, address: str) -> bool:
        del address
        return not verify_clients or is_known(live, node_key)

    relay = DerpServer(key, admit=admit)
    on_departure(live, relay.evict)
    return relay


def is_known(live: LiveTailnet, key: str) -> bool:
    """Whether a node of the tailnet has this node key now."""
    return key in live.state.index.node_by_key


def on_departure(live: LiveTailnet, departed: Callable[[NodeKey], object]) -> None:
    """Call back with each node key that no node has any more: its node was deleted, or has another one."""
    known = {node.id: node.node_key for node in live.state.all(Node)}

    def heard(change: Change) -> None:
        for table, record_id in change.deletes:
            if table == Node.table and record_id in known:
                departed(known.pop(record_id))
        for record in change.puts:
            if isinstance(record, Node):
                former = known.get(record.id, record.node_key)
                known[record.id] = record.node_key
                if former != record.node_key:
                    departed(former)

    live.listen(heard)
