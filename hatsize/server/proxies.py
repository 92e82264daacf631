"""Who the client is when a reverse proxy stands in between."""

import ipaddress
from collections.abc import Iterable, Mapping


class TrustedProxies:
    """The networks whose word about the client is taken. Raises ValueError for a text that is no network."""

    def __init__(self, networks: Iterable[str]) -> None:
        self.believe(networks)

    def believe(self, networks: Iterable[str]) -> None:
        """Take the word of these from now on."""
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def trusts(self, address: str) -> bool:
        """Whether `address` is a trusted proxy's; a Unix socket's peer (no address) is not."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """The client's address: the peer's, or the last one in `X-Forwarded-For` that is no trusted proxy's."""
        if not self._networks or not self.trusts(peer):
            return peer
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            address = _plain(hop)
            if not address:
                break
            peer = address
            if not self.trusts(address):
                break
        return peer

    def scheme(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """What a trusted proxy says the client spoke, `http` or `https`; None when nobody says."""
        said = headers.get("x-forwarded-proto", "").strip().lower()
        return said if said in ("http", "https") and self.trusts(peer) else None


def plain_address(address: str) -> str:
    """An address as it is spoken of: an IPv4 address in an IPv6 socket becomes IPv4 again."""
    return address.removeprefix("::ffff:") if address.startswith("::ffff:") and "." in address else address


def _plain(hop: str) -> str:
    """A hop's canonical address without port or brackets; empty when it is none."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(plain_address(text)))
    except ValueError:
        return ""
