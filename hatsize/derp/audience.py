"""Who has heard whom, so that those who talked with a peer learn that it is gone."""

from hatsize.derp.client import Client


class Audience:
    """Clients by the key of a peer whose packets they were given."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: dict[bytes, set[Client]] = {}

    def note(self, source: bytes, listener: Client) -> None:
        if not isinstance(listener.heard_from, set):
            listener.heard_from = set()
        listener.heard_from.add(source)
        self._listeners.setdefault(source, set()).add(listener)

    def pop(self, source: bytes) -> set[Client]:
        """Those who heard a peer that is gone now; they are told once."""
        listeners = self._listeners.pop(source, set())
        for listener in listeners:
            listener.heard_from -= {source}
        return listeners

    def leave(self, listener: Client) -> None:
        """A listener is gone itself."""
        for source in listener.heard_from:
            remaining = self._listeners[source]
            remaining.discard(listener)
            if not remaining:
                del self._listeners[source]
