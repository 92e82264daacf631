"""How many answers go out by UDP, so that the server is of no use for flooding others, and is not kept busy."""

from collections import Counter, OrderedDict
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

MOST_NETWORKS = 10_000
"""Networks that are remembered; the one longest silent is forgotten first."""
BURST = 2.0
"""Seconds' worth of answers that may go out at once."""
SLIP = 2
"""Of questions that are too many, one in so many is told to come by TCP; the others get no answer."""


class Verdict(Enum):
    ANSWER = "answer"
    TRUNCATE = "truncate"
    DROP = "drop"


class Bucket:
    """Fills at a rate, and is emptied by answers."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._level = rate * BURST
        self._at = now
        self._refused = 0

    def take(self, now: float) -> Verdict:
        """Take one answer out, if there is one."""
        self._level = min(self._rate * BURST, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level >= 1:
            self._level -= 1
            return Verdict.ANSWER
        self._refused += 1
        return Verdict.TRUNCATE if self._refused % SLIP == 0 else Verdict.DROP


class RateLimit:
    """A limit for each network and one for all; a rate of 0 is none."""

    def __init__(self, rate: float, rate_in_all: float) -> None:
        self._rate = rate
        self._rate_in_all = rate_in_all
        self._all: Bucket | None = None
        self._networks: OrderedDict[int, Bucket] = OrderedDict()
        self.refused: Counter[Verdict] = Counter()
        """Questions that got no answer, by what they got."""

    def judge(self, address: IPv4Address | IPv6Address, now: float) -> Verdict:
        """What becomes of a question; `now` is in seconds, of any clock that does not go back."""
        verdict = self._of_network(address, now).take(now) if self._rate else Verdict.ANSWER
        if verdict is Verdict.ANSWER and self._rate_in_all:
            self._all = self._all or Bucket(self._rate_in_all, now)
            verdict = self._all.take(now)
        if verdict is not Verdict.ANSWER:
            self.refused[verdict] += 1
        return verdict

    def _of_network(self, address: IPv4Address | IPv6Address, now: float) -> Bucket:
        network = int(address) >> (8 if address.version == 4 else 72) << 1 | (address.version == 4)
        bucket = self._networks.get(network)
        if bucket is None:
            bucket = self._networks[network] = Bucket(self._rate, now)
            if len(self._networks) > MOST_NETWORKS:
                self._networks.popitem(last=False)
        self._networks.move_to_end(network)
        return bucket
