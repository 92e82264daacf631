"""A node's addresses, chosen by hand or given anew by the prefixes in force."""

from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec.structs import replace

from hatsize.tailnet.addresses import is_reserved
from hatsize.tailnet.errors import AlreadyExistsError, InvalidError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

Allocate = Callable[[State, Node], tuple[str | None, str | None]]
"""Addresses for a node: it keeps those that fit, and gives None for a family that is not in use."""


def readdress_node(state: State, node_id: int, addresses: Allocate, now: datetime) -> Change | None:
    """The node gets the addresses it should have by the prefixes in force; None when it has them."""
    node = state.get(Node, node_id)
    return _moved(state, node, addresses(state, node), now)


def set_addresses(
    state: State, node_id: int, wanted: Sequence[str], addresses: Allocate, now: datetime
) -> Change | None:
    """The node gets these addresses, at most one of a family; a family that is not named stays as it is."""
    node = state.get(Node, node_id)
    found = [_free(state, node, text) for text in wanted]
    if not found or len({address.version for address in found}) < len(found):
        raise InvalidError("give one address, or one of each family")
    by_family = {address.version: str(address) for address in found}
    chosen = replace(node, ipv4=by_family.get(4, node.ipv4), ipv6=by_family.get(6, node.ipv6))
    fitting = addresses(state, chosen)
    for address in map(str, found):
        if address not in fitting:
            raise InvalidError(f"{address} is in none of the prefixes that addresses of {node.given_name} come from")
    return _moved(state, node, (chosen.ipv4, chosen.ipv6), now)


def _free(state: State, node: Node, text: str) -> IPv4Address | IPv6Address:
    """An address that the node may have; InvalidError or AlreadyExistsError says why not."""
    try:
        address = ip_address(text)
    except ValueError:
        raise InvalidError(f"{text!r} is not an IP address: give one such as 100.64.7.7") from None
    if is_reserved(address):
        raise InvalidError(f"{address} is one that clients use themselves: choose another")
    holder = state.index.node_by_address.get(str(address))
    if holder not in (None, node.id):
        raise AlreadyExistsError(f"{address} is node {holder}'s already: choose another")
    return address


def _moved(state: State, node: Node, addresses: tuple[str | None, str | None], now: datetime) -> Change | None:
    ipv4, ipv6 = addresses
    if addresses == (node.ipv4, node.ipv6):
        return None
    moved = replace(node, ipv4=ipv4, ipv6=ipv6)
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(moved,), at=now)
