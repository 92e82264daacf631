"""Who watches who is connected: the other relays of the region."""

from hatsize.derp.client import Client
from hatsize.derp.counters import Counters
from hatsize.derp.registry import Registry
from hatsize.wire.derp.frames import GoneReason, peer_gone, peer_present


class Presence:
    """Tells each watcher who is here when it begins to watch, and what changes from then on."""

    __slots__ = ("_counters", "_registry", "_watchers")

    def __init__(self, registry: Registry, counters: Counters) -> None:
        self._registry = registry
        self._counters = counters
        self._watchers: dict[Client, None] = {}

    def watch(self, watcher: Client) -> None:
        self._watchers[watcher] = None
        self._counters.watchers = len(self._watchers)
        watcher.sink.write(b"".join(_present(client) for client in self._registry.active.values()))

    def unwatch(self, watcher: Client) -> None:
        self._watchers.pop(watcher, None)
        self._counters.watchers = len(self._watchers)

    def arrived(self, client: Client) -> None:
        if self._watchers:
            self._tell(_present(client))

    def left(self, key: bytes) -> None:
        self._tell(peer_gone(key, GoneReason.DISCONNECTED))

    def _tell(self, frame: bytes) -> None:
        for watcher in self._watchers:
            watcher.sink.write(frame)


def _present(client: Client) -> bytes:
    return peer_present(client.key, client.address, client.port, client.flags)
