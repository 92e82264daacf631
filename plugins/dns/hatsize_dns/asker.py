"""Who asks a question, by the address it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class Asker:
    """An address, and the node whose address in the tailnet it is."""

    address: IPv4Address | IPv6Address
    node: Node | None = None
    owner: User | None = None
    """The node's, if it is not tagged."""

    def is_one_of(self, clients: Sequence[str]) -> bool:
        """Whether one of a zone's `for` fits."""
        return any(self._is(client) for client in clients)

    def _is(self, client: str) -> bool:
        if client in {"everybody", "tailnet"}:
            return client == "everybody" or self.node is not None
        if client.startswith("tag:"):
            return self.node is not None and client in self.node.tags
        if "@" in client:
            return self.owner is not None and (client == self.owner.login_name or client in self.owner.groups)
        return self.address in _network(client)


def asker_at(state: State, host: str) -> Asker:
    """Who is at an address, as a socket tells it."""
    address = ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    node = state.find(Node, state.index.node_by_address.get(str(address)))
    if node is None or not node.authorized:
        return Asker(address)
    return Asker(address, node, state.owner(node))


@lru_cache(maxsize=256)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
