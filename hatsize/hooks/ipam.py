"""IP allocation: which addresses a node gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Node, User


class NoAddressError(Exception):
    """No address is left, or the one asked for cannot be had; the message says which prefix or address."""


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """A node that needs addresses."""

    node: Node
    """As it will be, its `ipv4` and `ipv6` being what it already has, or None."""
    user: User | None
    v4: Sequence[IPv4Network]
    """Prefixes to choose from: the policy's pool for this node, or the configured one. Empty: no IPv4 wanted."""
    v6: Sequence[IPv6Network]
    taken: Callable[[str], bool]
    """Whether an address, in canonical text, is in use or reserved."""


class IPAllocator(Protocol):
    """Chooses addresses. Called in the one place where changes are made, so what it returns is at once taken."""

    name: str

    def allocate(self, request: AllocationRequest) -> tuple[str | None, str | None]:
        """(IPv4, IPv6) for the node; None for a family with no prefix. Raises NoAddressError."""


@hookspec
def hatsize_register_ip_allocator(setup: Setup) -> IPAllocator | Sequence[IPAllocator]:  # type: ignore[empty-body]
    """Supply an IP allocator. *Service*: chosen by `prefixes.allocation`.

    Example:

        @hookimpl
        def hatsize_register_ip_allocator(self, setup):
            return ByNumber()

        class ByNumber:
            name = "by-number"

            def allocate(self, request):
                node = request.node
                v4 = next((str(net[node.id]) for net in request.v4 if node.id < net.num_addresses), None)
                if v4 is None or request.taken(v4):
                    raise NoAddressError(f"the address of node {node.id} cannot be had")
                return node.ipv4 or v4, node.ipv6
    """
