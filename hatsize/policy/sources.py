"""The `SrcIPs` of packet filter rules, worked out once for each distinct source."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hatsize.policy.addresses import TAILNET_SOURCES, is_exit, number
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Side
from hatsize.policy.population import Population

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A side of a rule as the origin of packets.

    With `confined`, by postures or to the devices of one user, only nodes count, by their own addresses: networks
    behind them do not meet postures and belong to no user.
    """

    side: Side
    postures: int = 0
    user_id: int | None = None
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.side, self.postures, self.user_id)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def confined(self) -> bool:
        return bool(self.postures) or self.user_id is not None


@dataclass(frozen=True)
class Addresses:
    """A source's addresses, sorted. Equal ones have equal digests, in one process."""

    texts: Texts
    digest: int


@dataclass
class Sources:
    """Remembers the addresses of each source."""

    population: Population
    literals: Literals
    known: dict[Source, Addresses] = field(default_factory=dict)

    def updated(self, population: Population, stale: Iterable[Source]) -> "Sources":
        """The same for a population in which these sources are different."""
        kept = self.known.copy()
        for source in stale:
            kept.pop(source, None)
        return Sources(population, self.literals, kept)

    def addresses(self, source: Source, classes: Callable[[], int]) -> Addresses:
        """The source's addresses; `classes` tells the classes on the side."""
        found = self.known.get(source)
        if found is None:
            texts = tuple(sorted(self._texts(source, classes())))
            found = self.known[source] = Addresses(texts, hash(texts))
        return found

    def _texts(self, source: Source, classes: int) -> set[str]:
        side = source.side
        if source.confined:
            return self._confined(side, classes)
        if side.anyone:
            return {"*"}
        literal = {text for one in side.literals for text in self.literals.table[one].texts}
        if side.everything:
            return literal.union(TAILNET_SOURCES, (route for route in self.population.routers if not is_exit(route)))
        return literal | self._of(self.population.named(side.names, classes) if side.names else 0)

    def _confined(self, side: Side, classes: int) -> set[str]:
        if side.everything or side.anyone:
            return self._of(classes)
        named = self.population.named(side.names, classes)
        spans = [self.literals.table[one].spans for one in side.literals]
        inside = (text for text in self._of(classes & ~named) if any(number(text) in one for one in spans))
        return self._of(named).union(inside)

    def _of(self, classes: int) -> set[str]:
        return set(self.population.addresses(self.population.nodes(classes)))
