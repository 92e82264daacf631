"""Where the records of a zone come from: layers, each of which knows some names."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from hatsize_dns.asker import Asker

Sets = Mapping[RdataType, Rdataset]
"""The records of one name, by type. Empty where only names below it have some."""


class Layer(Protocol):
    """Some of a zone's names."""

    def at(self, name: Name, asker: Asker) -> Sets | None:
        """The records of a name for whoever asks; None where there is neither the name nor one below it."""


class FixedLayer:
    """Names that are known in advance, and the same for everybody."""

    def __init__(self, records: Iterable[tuple[Name, int, Rdata]] = ()) -> None:
        """Take (name, TTL, record) in; of different TTLs of one name and type the lowest is used."""
        self._names: dict[Name, dict[RdataType, Rdataset]] = {}
        for name, ttl, rdata in records:
            sets = self._names.setdefault(name, {})
            for depth in range(2, len(name.labels)):
                self._names.setdefault(name.split(depth)[1], {})
            sets.setdefault(rdata.rdtype, Rdataset(IN, rdata.rdtype)).add(rdata, ttl)

    def at(self, name: Name, asker: Asker) -> Sets | None:
        del asker
        return self._names.get(name)

    def __len__(self) -> int:
        return sum(len(each) for sets in self._names.values() for each in sets.values())


def merged(found: Iterable[Sets | None]) -> Sets | None:
    """What several layers say of one name, as one."""
    there = [sets for sets in found if sets is not None]
    if len(there) < 2:
        return there[0] if there else None
    together: dict[RdataType, Rdataset] = {}
    for sets in there:
        for rdtype, rdataset in sets.items():
            both = together.setdefault(rdtype, Rdataset(IN, rdtype))
            for rdata in rdataset:
                both.add(rdata, rdataset.ttl)
    return together
