"""When each client's next keepalive is due: a bucket per second instead of a timer per client."""

from hatsize.derp.client import Client


class Timetable:
    """Clients by the whole second they are due in."""

    __slots__ = ("_buckets", "_next")

    def __init__(self, now: float) -> None:
        self._buckets: dict[int, set[Client]] = {}
        self._next = int(now)

    def put(self, client: Client, at: float) -> None:
        client.due = max(int(at), self._next)
        self._buckets.setdefault(client.due, set()).add(client)

    def remove(self, client: Client) -> None:
        bucket = self._buckets.get(client.due)
        if bucket is not None:
            bucket.discard(client)

    def due(self, now: float) -> list[Client]:
        """Take out all clients whose second has begun."""
        seconds = range(self._next, int(now) + 1)
        self._next = max(self._next, int(now) + 1)
        return [client for second in seconds for client in self._buckets.pop(second, ())]
