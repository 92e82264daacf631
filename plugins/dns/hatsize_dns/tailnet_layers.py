"""The names of nodes, and of their addresses."""

from collections.abc import Callable
from typing import Literal

import dns.rdata
import dns.rdataset
import dns.reversename
from dns.name import Name
from dns.rdataclass import IN
from dns.rdataset import Rdataset
from dns.rdatatype import AAAA, PTR, A, RdataType

from hatsize.hooks.lifecycle import Server
from hatsize.tailnet.model import Node
from hatsize_dns.asker import Asker
from hatsize_dns.layers import Sets
from hatsize_dns.names import IN_ADDR

Shown = Literal["all", "tagged", "peers", "own", "none"]


class Visibility:
    """Which nodes a zone shows to whom."""

    def __init__(self, server: Server, shown: Shown) -> None:
        self.server = server
        self._shown = shown

    def shows(self, node: Node, asker: Asker) -> bool:
        """Whether whoever asks is told of a node. Everybody may know of themselves, but where nodes are `none`."""
        if not node.authorized or self._shown == "none":
            return False
        if self._shown == "all" or (asker.node is not None and asker.node.id == node.id):
            return True
        if self._shown == "tagged":
            return bool(node.tags)
        if asker.node is None:
            return False
        if self._shown == "own":
            return asker.owner is not None and self.server.state.owner(node) == asker.owner
        return self.server.sees(asker.node.id, node.id)


class NodeNames:
    """`desk.net.example.com` for each node; with wildcards, whatever is below it too."""

    def __init__(self, origin: Name, visibility: Visibility, ttl: int, *, wildcards: bool) -> None:
        self._depth = len(origin.labels)
        self._visibility = visibility
        self._ttl = ttl
        self._wildcards = wildcards

    def at(self, name: Name, asker: Asker) -> Sets | None:
        labels = name.labels[: -self._depth]
        if len(labels) == 2 and self._wildcards and labels[0] == b"*":
            labels = labels[1:]
        if len(labels) != 1:
            return None
        node = _named(self._visibility.server, labels[0])
        if node is None or not self._visibility.shows(node, asker):
            return None
        return {
            rdtype: _one(self._ttl, rdtype, address)
            for rdtype, address in ((A, node.ipv4), (AAAA, node.ipv6))
            if address
        }


class AddressNames:
    """The names of the addresses of nodes (RFC 1035, 3.5; RFC 3596, 2.5)."""

    def __init__(self, visibility: Visibility, ttl: int, target: Callable[[Node], str]) -> None:
        """`target` is a node's whole name."""
        self._visibility = visibility
        self._ttl = ttl
        self._target = target

    def at(self, name: Name, asker: Asker) -> Sets | None:
        digits = [label.decode("ascii", "replace").lower() for label in reversed(name.labels[:-3])]
        v4 = name.is_subdomain(IN_ADDR)
        whole, is_digit = (4, _is_octet) if v4 else (32, _is_nibble)
        if len(digits) > whole or not all(map(is_digit, digits)):
            return None
        if len(digits) < whole:
            return {}  # whichever addresses there are: whether some begin so is nobody's business
        state = self._visibility.server.state
        address = dns.reversename.to_address(name)
        node = state.find(Node, state.index.node_by_address.get(address))
        if node is None or not self._visibility.shows(node, asker):
            return None
        return {PTR: _one(self._ttl, PTR, self._target(node))}


def _named(server: Server, label: bytes) -> Node | None:
    state = server.state
    return state.find(Node, state.index.node_by_name.get(label.decode("ascii", "replace").lower()))


def _one(ttl: int, rdtype: RdataType, text: str) -> Rdataset:
    return dns.rdataset.from_rdata(ttl, dns.rdata.from_text(IN, rdtype, text))


def _is_octet(digit: str) -> bool:
    return digit.isascii() and digit.isdigit() and str(int(digit[:4])) == digit and int(digit) < 256


def _is_nibble(digit: str) -> bool:
    return len(digit) == 1 and digit in "0123456789abcdef"
