"""Pings an administrator asks for: of a node by the server, and of one node by another."""

from time import perf_counter

from hatsize.api.contract import NodePing
from hatsize.control.pings import NoAnswerError, Pings
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import PingResponse, WireError

WITHIN = 10.0
"""Seconds a client has to answer."""
DISCO = "disco"
"""The kind of ping that finds a path, direct or by a relay, and does not ask the packet filter."""


async def ping(pings: Pings, node_id: int) -> NodePing:
    """How long a connected node takes to answer the server. Raises NoAnswerError."""
    started = perf_counter()
    await pings.ask(node_id, within=WITHIN)
    return NodePing(1000 * (perf_counter() - started))


async def ping_from(pings: Pings, node_id: int, address: str) -> NodePing:
    """How a connected node reaches an address of another one. Raises NoAnswerError."""
    raw = await pings.ask(node_id, within=WITHIN, types=DISCO, payload=address.encode())
    try:
        told = tailcfg.decode(PingResponse, raw)
    except WireError as error:
        raise NoAnswerError(f"the node's answer cannot be read: {error}") from None
    if told.Err:
        raise NoAnswerError(f"the node does not reach {address}: {told.Err}")
    path = told.Endpoint or told.PeerRelay or (told.DERPRegionCode and f"relay {told.DERPRegionCode}")
    return NodePing(1000 * told.LatencySeconds, path)
