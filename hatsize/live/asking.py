"""Asking the services of plugins for what a tailnet cannot be without; one that fails is counted, and hurts nobody."""

from functools import partial

from hatsize.hooks.ipam import AllocationRequest, NoAddressError
from hatsize.live.services import Services
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig


def allocated(services: Services, request: AllocationRequest) -> tuple[str | None, str | None]:
    """The addresses that the chosen allocator gives; NoAddressError when it has none, or fails."""
    allocator, at_once = services.allocator, services.plugins.calls.at_once
    allocate = partial(allocator.allocate, request)
    found = at_once(allocator.name, "IPAllocator.allocate", allocate, None, may_raise=(NoAddressError,))
    if found is None:
        raise NoAddressError(f"the IP allocator {allocator.name!r} has failed: see the server's log")
    return found


def dns_config(services: Services, state: State, node: Node) -> DNSConfig:
    """What the DNS providers make for a node, each from what the one before has made."""
    config, at_once = DNSConfig(), services.plugins.calls.at_once
    for provider in services.dns:
        configure = partial(provider.configure, state, node, config)
        config = at_once(provider.name, "DNSProvider.configure", configure, config)
    return config
