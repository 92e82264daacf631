"""Routes: which of those a node advertises it may serve."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

EXIT_ROUTES = ("0.0.0.0/0", "::/0")
"""What an exit node advertises. They are approved together: half an exit node would leak the other family."""


def approve_routes(state: State, node_id: int, routes: Sequence[str], now: datetime) -> Change:
    """The routes the node may serve, instead of those approved before; it need not advertise them yet."""
    wanted = {canonical_route(route) for route in routes}
    if wanted.intersection(EXIT_ROUTES):
        wanted.update(EXIT_ROUTES)
    node = replace(state.get(Node, node_id), approved_routes=in_order(wanted))
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(node,), at=now)


def canonical_route(text: str) -> str:
    """A prefix in canonical text; raises InvalidError when it is none, or has host bits set."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in text:
        raise InvalidError(f"{text!r} is not a route: give a prefix such as 10.0.0.0/24")
    if str(network.network_address) != str(ip_network(text.partition("/")[0]).network_address):
        raise InvalidError(f"{text!r} has bits set behind its prefix: did you mean {network}?")
    return str(network)


def in_order(routes: set[str]) -> tuple[str, ...]:
    """Routes as prefixes sort: IPv4 before IPv6, by address, the wider one first."""

    def place(network: IPv4Network | IPv6Network) -> tuple[int, int, int]:
        return network.version, int(network.network_address), network.prefixlen

    return tuple(map(str, sorted(map(ip_network, routes), key=place)))
