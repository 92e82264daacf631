"""A zone as one asker sees it: its layers, and what every zone has at its top."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dns.rdata
import dns.rdataset
from dns.name import Name
from dns.rdataclass import IN
from dns.rdataset import Rdataset
from dns.rdatatype import NS, SOA

from hatsize_dns.asker import Asker
from hatsize_dns.layers import Layer, Sets, merged

NEGATIVE_TTL = 30
"""Seconds for which resolvers may remember that something is not there."""
REFRESH, RETRY, EXPIRE = 3600, 600, 604800


@dataclass(frozen=True)
class Zone:
    """One view of a zone. A layer that has an SOA or NS set for the top speaks for it."""

    origin: Name
    clients: Sequence[str]
    layers: Sequence[Layer]
    nameservers: Sequence[str]
    """With the dot at the end; the zone's own name where there is none."""
    hostmaster: str
    """As a domain name."""
    serial: Callable[[], int]
    ttl: int
    _tops: dict[int, Sets] = field(default_factory=dict, compare=False)
    """What is at the top, by serial number; the newest alone."""

    def at(self, name: Name, asker: Asker) -> Sets | None:
        """The records of a name in the zone; None where there is no such name."""
        found = merged(layer.at(name, asker) for layer in self.layers)
        return {**self._top(self.serial()), **(found or {})} if name == self.origin else found

    def soa(self, asker: Asker) -> Rdataset:
        """The SOA set, with the TTL that an answer has which says that something is not there (RFC 2308, 3)."""
        found = (self.at(self.origin, asker) or {})[SOA]
        negative = dns.rdataset.from_rdata_list(min(found.ttl, found[0].minimum), list(found))
        assert isinstance(negative, Rdataset)
        return negative

    def _top(self, serial: int) -> Sets:
        if serial not in self._tops:
            self._tops.clear()
            self._tops[serial] = self._made_up(serial)
        return self._tops[serial]

    def _made_up(self, serial: int) -> Sets:
        servers = list(self.nameservers) or [self.origin.to_text()]
        start = f"{servers[0]} {self.hostmaster} {serial} {REFRESH} {RETRY} {EXPIRE} {NEGATIVE_TTL}"
        return {
            SOA: dns.rdataset.from_rdata(self.ttl, dns.rdata.from_text(IN, SOA, start)),
            NS: dns.rdataset.from_rdata_list(self.ttl, [dns.rdata.from_text(IN, NS, each) for each in servers]),
        }


class Catalogue:
    """All zones, in the settings' order."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = zones
        self._views: dict[Name, list[Zone]] = {}
        for zone in zones:
            self._views.setdefault(zone.origin, []).append(zone)

    def zone_of(self, name: Name, asker: Asker) -> Zone | None:
        """The lowest zone that a name is in, as the asker is to see it."""
        for depth in range(len(name.labels), 1, -1):
            for zone in self._views.get(name.split(depth)[1], ()):
                if asker.is_one_of(zone.clients):
                    return zone
        return None
