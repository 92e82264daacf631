"""Who is connected: one client per node key as a rule, several while a node reconnects or where a key was copied."""

from collections.abc import Iterator

from hatsize.derp.client import Client


class Registry:
    """Clients by key; of several with one key, the one that last sent something receives."""

    __slots__ = ("_all", "active")

    def __init__(self) -> None:
        self.active: dict[bytes, Client] = {}
        """The client that receives, by its key."""
        self._all: dict[bytes, list[Client]] = {}
        """Keys with several clients, the last active one at the end."""

    def add(self, client: Client) -> bool:
        """Let a client in; returns whether its key was connected already."""
        previous = self.active.get(client.key)
        self.active[client.key] = client
        if previous is None:
            return False
        several = self._all.setdefault(client.key, [previous])
        several.append(client)
        previous.duplicate = client.duplicate = True
        return True

    def remove(self, client: Client) -> bool:
        """Let a client out; returns whether its key is connected still."""
        several = self._all.get(client.key)
        if several is None:
            del self.active[client.key]
            return False
        several.remove(client)
        self.active[client.key] = several[-1]
        if len(several) == 1:
            several[0].duplicate = False
            del self._all[client.key]
        return True

    def touch(self, client: Client) -> None:
        """A duplicate has sent something: it receives from now on."""
        if self.active[client.key] is not client:
            several = self._all[client.key]
            several.remove(client)
            several.append(client)
            self.active[client.key] = client

    def of(self, key: bytes) -> list[Client]:
        """All clients with a key."""
        client = self.active.get(key)
        return self._all.get(key, [client]).copy() if client else []

    @property
    def duplicate_keys(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Client]:
        """Every client, duplicates too."""
        for key in list(self.active):
            yield from self.of(key)
