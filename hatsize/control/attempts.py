"""How often a password may be tried: after some failures there is a wait, and each further one doubles it.

Counted for the name and for the address of whoever tries, whether or not there is such a user. The memory is bounded:
when it is full, what happened longest ago is forgotten.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

ROOM = 10_000
"""How many names, and how many addresses, are remembered."""
LONGEST = 300.0
"""Seconds that nobody has to wait for longer, so that nobody can be shut out for good by somebody else's guesses."""
FORGOTTEN_AFTER = 3600.0


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last: float = 0.0


class Failures:
    """Failed attempts by key.

    Args:
        free: how many there may be before there is a wait.
        clock: seconds since whenever.
    """

    def __init__(self, free: int, clock: Callable[[], float], room: int = ROOM) -> None:
        self._free = free
        self._clock = clock
        self._room = room
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next attempt may be made; 0 for now."""
        count = self._counts.get(key)
        if count is None or count.failures < self._free:
            return 0.0
        # The exponent is held down because a float has an end.
        pause = min(2.0 ** min(count.failures - self._free, 32), LONGEST)
        return max(0.0, count.last + pause - self._clock())

    def add(self, key: str) -> None:
        """An attempt is being made; it counts as failed until something else is known."""
        now, count = self._clock(), self._counts.pop(key, _Count())
        if now - count.last > FORGOTTEN_AFTER:
            count.failures = 0
        self._counts[key] = _Count(count.failures + 1, now)
        while len(self._counts) > self._room:
            self._counts.popitem(last=False)

    def take_back(self, key: str) -> None:
        """An attempt was none."""
        count = self._counts.get(key)
        if count is not None:
            count.failures -= 1

    def clear(self, key: str) -> None:
        """Forget a key's failures."""
        self._counts.pop(key, None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that is being made, counted from its beginning, so that many at once count as many."""

    attempts: "Attempts"
    name: str
    address: str

    def succeeded(self) -> None:
        """The name's failures are forgotten, the address keeps its others."""
        self.attempts.by_name.clear(self.name)
        self.attempts.by_address.take_back(self.address)

    def went_unanswered(self) -> None:
        """Nobody could say whether the password was right."""
        self.attempts.by_name.take_back(self.name)
        self.attempts.by_address.take_back(self.address)


class Attempts:
    """The attempts at all passwords of one server."""

    def __init__(self, clock: Callable[[], float], *, free_by_name: int = 5, free_by_address: int = 20) -> None:
        self.by_name = Failures(free_by_name, clock)
        self.by_address = Failures(free_by_address, clock)

    def begin(self, name: str, remote: str) -> Attempt | float:
        """An attempt, or the seconds to wait before one may be made."""
        attempt = Attempt(self, name.strip().casefold(), _network(remote))
        wait = max(self.by_name.wait(attempt.name), self.by_address.wait(attempt.address))
        if wait > 0:
            return wait
        self.by_name.add(attempt.name)
        self.by_address.add(attempt.address)
        return attempt


def _network(remote: str) -> str:
    """What one customer of a provider has to itself: an IPv4 address, or a /64 of IPv6."""
    try:
        address = ip_address(remote)
    except ValueError:
        return remote
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
