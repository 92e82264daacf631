"""Which peers are connected to other relays of the region, and through whom to reach them."""

from typing import Protocol


class Forwarder(Protocol):
    """A mesh link to another relay."""

    def forward(self, frames: bytes) -> bool:
        """Send ForwardPacket frames; False when the link's queue is full and they were dropped."""


class Elsewhere:
    """Links by node key. A peer on several relays is reached through the one that has known it longest."""

    __slots__ = ("_links",)

    def __init__(self) -> None:
        self._links: dict[bytes, list[Forwarder]] = {}

    def add(self, key: bytes, link: Forwarder) -> None:
        links = self._links.setdefault(key, [])
        if link not in links:
            links.append(link)

    def remove(self, key: bytes, link: Forwarder) -> bool:
        """Forget a way; returns whether it was the last one to that peer."""
        links = self._links.get(key, [])
        if link not in links:
            return False
        links.remove(link)
        if not links:
            del self._links[key]
        return not links

    def link(self, key: bytes) -> Forwarder | None:
        links = self._links.get(key)
        return links[0] if links else None

    def __len__(self) -> int:
        return len(self._links)
