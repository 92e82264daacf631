"""Sets of IP addresses as ranges of integers, IPv6 after IPv4 on one number line.

An IPv4 address is its 32-bit number, an IPv6 address its 128-bit number plus 2**32, so that one sorted tuple of
(first, last) pairs describes any set.
"""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

Span = tuple[int, int]
_SIX = 1 << 32


@lru_cache(maxsize=1 << 16)
def number(address: str) -> int:
    """Where an address stands on the number line. Raises ValueError."""
    parsed = ipaddress.ip_address(address)
    return int(parsed) + (_SIX if parsed.version == 6 else 0)


def span(text: str) -> Span:
    """The first and last number of an address, prefix or range `a-b`. Raises ValueError."""
    first, dash, last = text.partition("-")
    if dash:
        ends = number(first.strip()), number(last.strip())
        if ends[0] > ends[1] or (ends[0] < _SIX) != (ends[1] < _SIX):
            raise ValueError(f"{text!r} is not a range")
        return ends
    net = _network(text)
    base = int(net.network_address) + (_SIX if net.version == 6 else 0)
    return base, base + net.num_addresses - 1


@lru_cache(maxsize=1 << 14)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def is_exit(prefix: str) -> bool:
    """Whether a route is the way to the internet."""
    return prefix in {"0.0.0.0/0", "::/0"}


def own_prefixes(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses as prefixes of a single one."""
    return tuple(f"{address}/{128 if ':' in address else 32}" for address in addresses)


@dataclass(frozen=True)
class IPSet:
    """A set of addresses; `spans` are sorted, apart, and never touch."""

    spans: tuple[Span, ...] = ()

    @staticmethod
    def of(*texts: str) -> "IPSet":
        return IPSet(_merged(span(text) for text in texts))

    def __contains__(self, place: int) -> bool:
        found = bisect_right(self.spans, (place, 1 << 130)) - 1
        return found >= 0 and self.spans[found][1] >= place

    def __or__(self, other: "IPSet") -> "IPSet":
        return IPSet(_merged(chain(self.spans, other.spans)))

    def __sub__(self, other: "IPSet") -> "IPSet":
        left: list[Span] = []
        for first, last in self.spans:
            start = first
            for gone_first, gone_last in other.spans:
                if gone_last < start or gone_first > last:
                    continue
                if gone_first > start:
                    left.append((start, gone_first - 1))
                start = gone_last + 1
            if start <= last:
                left.append((start, last))
        return IPSet(tuple(left))

    def overlaps(self, other: "IPSet") -> bool:
        mine, theirs = iter(self.spans), iter(other.spans)
        one, two = next(mine, None), next(theirs, None)
        while one and two:
            if one[1] < two[0]:
                one = next(mine, None)
            elif two[1] < one[0]:
                two = next(theirs, None)
            else:
                return True
        return False

    def prefixes(self) -> tuple[str, ...]:
        """The fewest prefixes that cover the set, single addresses without a length."""
        return tuple(text for part in self.spans for family in _families(part) for text in _prefixes(*family))


def _prefixes(first: int, last: int) -> Iterable[str]:
    """The prefixes that cover a range within one family."""
    size, base = (32, 0) if last < _SIX else (128, _SIX)
    first, last = first - base, last - base
    while first <= last:
        bits = min((first & -first).bit_length() - 1 if first else size, (last - first + 1).bit_length() - 1)
        address = ipaddress.IPv4Address(first) if size == 32 else ipaddress.IPv6Address(first)
        yield f"{address}/{size - bits}" if bits else str(address)
        first += 1 << bits


def _families(part: Span) -> Iterable[Span]:
    first, last = part
    if first < _SIX <= last:
        return [(first, _SIX - 1), (_SIX, last)]
    return [part]


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + 1 and first != _SIX:
            out[-1] = out[-1][0], max(out[-1][1], last)
        else:
            out.append((first, last))
    return tuple(out)


TAILNET_SOURCES = ("100.115.94.0-100.127.255.255", "100.64.0.0-100.115.91.255", "fd7a:115c:a1e0::/48")
"""What `*` means as a source: the tailnet's ranges without ChromeOS's 100.115.92.0/23. Approved routes come on top."""

INTERNET = IPSet.of("0.0.0.0/0", "2000::/3") - IPSet.of(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/3",
)  # fmt: skip
"""What `autogroup:internet` means."""
