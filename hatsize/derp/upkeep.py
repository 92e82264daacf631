"""What time brings: keepalives, pings to silent clients, the end of those that neither read nor answer."""

from collections.abc import Callable

from hatsize.derp.client import Client
from hatsize.derp.counters import Counters
from hatsize.derp.limits import Limits
from hatsize.derp.timetable import Timetable
from hatsize.wire.derp.frames import KEEP_ALIVE, ping

_PING = KEEP_ALIVE + ping(b"hatsize?")


class Upkeep:
    """Deadlines of all clients, kept by one tick a second."""

    __slots__ = ("_blocked", "_counters", "_jitter", "_limits", "_timetable")

    def __init__(self, limits: Limits, counters: Counters, *, now: float, jitter: Callable[[], float]) -> None:
        self._limits = limits
        self._counters = counters
        self._jitter = jitter
        self._timetable = Timetable(now)
        self._blocked: dict[Client, tuple[int, float]] = {}
        """What waited to be sent when it last became less, and when that was."""

    def add(self, client: Client, now: float) -> None:
        wait = self._limits.keepalive + self._limits.keepalive_jitter * self._jitter()
        self._timetable.put(client, now + wait)

    def remove(self, client: Client) -> None:
        self._timetable.remove(client)
        self._blocked.pop(client, None)

    def block(self, client: Client, now: float) -> None:
        self._blocked[client] = client.sink.pending(), now

    def unblock(self, client: Client) -> None:
        self._blocked.pop(client, None)

    def tick(self, now: float) -> None:
        for client in self._timetable.due(now):
            self._keep_alive(client, now)
        for client in list(self._blocked):
            self._judge_blocked(client, now)

    def _keep_alive(self, client: Client, now: float) -> None:
        if client.can_ack_pings and client.silent >= self._limits.silent_keepalives:
            self._counters.idle_timeouts += 1
            client.sink.close()
            return
        if not client.blocked:
            client.sink.write(_PING if client.can_ack_pings and client.silent else KEEP_ALIVE)
        client.silent += 1
        self.add(client, now)

    def _judge_blocked(self, client: Client, now: float) -> None:
        waited, since = self._blocked[client]
        pending = client.sink.pending()
        if pending < waited:
            self._blocked[client] = pending, now
        elif now - since > (self._limits.mesh_write_timeout if client.mesh else self._limits.write_timeout):
            self._counters.write_timeouts += 1
            client.sink.close()
