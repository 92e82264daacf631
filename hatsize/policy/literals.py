"""Selectors that name addresses rather than nodes: hosts, prefixes, ipsets, services, the internet."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import xor

from hatsize.policy.addresses import INTERNET, IPSet, is_exit, number
from hatsize.policy.document import Document
from hatsize.policy.selectors import THE_INTERNET, Kind, Selector
from hatsize.policy.topology import Topology

KINDS = frozenset({Kind.HOST, Kind.ADDRESS, Kind.IPSET, Kind.SERVICE})


def is_literal(selector: Selector) -> bool:
    return selector.kind in KINDS or selector == THE_INTERNET


@dataclass(frozen=True)
class Literal:
    """A set of addresses, and how it is written in a packet filter."""

    texts: tuple[str, ...]
    spans: IPSet


NOTHING = Literal((), IPSet())


def resolve(selector: Selector, document: Document, topology: Topology) -> Literal:
    """The addresses of a literal selector; none where it names what is not there."""
    match selector.kind:
        case Kind.ADDRESS:
            return _one(selector.name)
        case Kind.HOST:
            text = document.hosts.get(selector.name)
            return _one(text) if text else NOTHING
        case Kind.IPSET:
            spans = document.ipsets.get(selector.name, IPSet())
            return Literal(spans.prefixes(), spans)
        case Kind.SERVICE:
            service = topology.services.get(selector.name)
            if service is None:
                return NOTHING
            return Literal(service.addresses, IPSet.of(*service.addresses))
        case _:
            return Literal(INTERNET.prefixes(), INTERNET)


def _one(text: str) -> Literal:
    bare = text.partition("/")[0]
    spans = IPSet.of(text)
    return Literal((bare if spans == IPSet.of(bare) else text,), spans)


def reach(route: str) -> IPSet:
    """The addresses a route leads to; of an exit route those of the internet."""
    return INTERNET if is_exit(route) else IPSet.of(route)


@dataclass
class Literals:
    """The literals of a policy by number, so that a node's relation to all of them is one bitset."""

    document: Document
    topology: Topology
    table: list[Literal] = field(default_factory=list)
    numbers: dict[Selector, int] = field(default_factory=dict)
    _by_route: dict[str, int] = field(default_factory=dict)
    _edges: list[int] = field(default_factory=list)
    _masks: list[int] = field(default_factory=list)

    def copy(self) -> "Literals":
        return replace(self, table=self.table.copy(), numbers=self.numbers.copy())

    def add(self, selector: Selector) -> int:
        """The literal's number."""
        found = self.numbers.get(selector)
        if found is None:
            found = self.numbers[selector] = len(self.table)
            self.table.append(resolve(selector, self.document, self.topology))
            self._masks = []
        return found

    def holding(self, addresses: tuple[str, ...]) -> int:
        """The literals that contain one of the addresses."""
        if not self._masks:
            self._sweep()
        found = 0
        for address in addresses:
            found |= self._masks[bisect_right(self._edges, number(address))]
        return found

    def _sweep(self) -> None:
        """Cut the number line where a literal begins or ends; between two cuts the same literals hold."""
        turns: dict[int, int] = {}
        for index, literal in enumerate(self.table):
            for first, last in literal.spans.spans:
                turns[first] = turns.get(first, 0) ^ 1 << index
                turns[last + 1] = turns.get(last + 1, 0) ^ 1 << index
        self._edges = sorted(turns)
        self._masks = list(accumulate((turns[edge] for edge in self._edges), xor, initial=0))

    def touching(self, route: str) -> int:
        """The literals that a route leads to some part of."""
        found = self._by_route.get(route)
        if found is None:
            wide = reach(route)
            found = sum(1 << index for index, literal in enumerate(self.table) if literal.spans.overlaps(wide))
            self._by_route[route] = found
        return found
