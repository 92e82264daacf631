"""IP allocation: one after the other, or at random."""

import random
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from hatsize.hooks import hookimpl
from hatsize.hooks.ipam import AllocationRequest, IPAllocator, NoAddressError
from hatsize.tailnet.addresses import is_reserved

Network = IPv4Network | IPv6Network

TRIES = 200
"""Random draws before the allocator goes through the prefix in order."""


def sequential(network: Network, start: int) -> Iterator[int]:
    """The host addresses of a prefix as integers: from `start` on, then those before it."""
    first, last = _bounds(network)
    start = min(max(start, first), last + 1)
    yield from range(start, last + 1)
    yield from range(first, start)


def _bounds(network: Network) -> tuple[int, int]:
    """The lowest and highest address a node may have: not the prefix's own, nor an IPv4 broadcast address."""
    first, last = int(network[0]), int(network[-1])
    if network.num_addresses <= 2:
        return first, last
    return first + 1, last - (network.version == 4)


class Sequential:
    """Gives the next free address after the last one given."""

    name = "sequential"

    def __init__(self) -> None:
        self._next: dict[Network, int] = {}

    def allocate(self, request: AllocationRequest) -> tuple[str | None, str | None]:
        return _both(request, self._pick)

    def _pick(self, network: Network, taken: Callable[[str], bool]) -> str | None:
        for number in sequential(network, self._next.get(network, 0)):
            found = _usable(network, number, taken)
            if found:
                self._next[network] = number + 1
                return found
        return None


class Random:
    """Gives a free address drawn at random, so that addresses say nothing about age or neighbours."""

    name = "random"

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def allocate(self, request: AllocationRequest) -> tuple[str | None, str | None]:
        return _both(request, self._pick)

    def _pick(self, network: Network, taken: Callable[[str], bool]) -> str | None:
        first, last = _bounds(network)
        for _ in range(TRIES):
            found = _usable(network, self._random.randint(first, last), taken)
            if found:
                return found
        candidates = (_usable(network, number, taken) for number in sequential(network, 0))
        return next((found for found in candidates if found), None)


def _both(
    request: AllocationRequest, pick: Callable[[Network, Callable[[str], bool]], str | None]
) -> tuple[str | None, str | None]:
    return (
        _family(request.node.ipv4, request.v4, request.taken, pick),
        _family(request.node.ipv6, request.v6, request.taken, pick),
    )


def _family(
    has: str | None,
    networks: Sequence[Network],
    taken: Callable[[str], bool],
    pick: Callable[[Network, Callable[[str], bool]], str | None],
) -> str | None:
    """The address it has, if that is inside; or else the first one found in the prefixes' order."""
    if not networks:
        return None
    if has and any(ip_address(has) in network for network in networks):
        return has
    for network in networks:
        found = pick(network, taken)
        if found:
            return found
    raise NoAddressError(f"no free address is left in {', '.join(map(str, networks))}: widen the prefix")


def _usable(network: Network, number: int, taken: Callable[[str], bool]) -> str | None:
    address = ip_address(number) if network.version == 4 else ip_address(number.to_bytes(16, "big"))
    if is_reserved(address):
        return None
    text = str(address)
    return None if taken(text) else text


class _Plugin:
    def __init__(self, allocator: IPAllocator) -> None:
        self._allocator = allocator

    @hookimpl
    def hatsize_register_ip_allocator(self) -> IPAllocator:
        return self._allocator


def plugins() -> list[tuple[str, object]]:
    """The allocators, each as a plugin of its own."""
    return [("ipam-sequential", _Plugin(Sequential())), ("ipam-random", _Plugin(Random()))]
