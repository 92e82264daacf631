"""Which classes of nodes each rule speaks of, on either side.

Everything here is a bitset: of classes (by class number) or of rules (by their place in the document).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hatsize.policy.classes import NodeClass
from hatsize.policy.directory import folded
from hatsize.policy.document import Document, Flow, Rule
from hatsize.policy.literals import Literals, is_literal
from hatsize.policy.ports import ALL
from hatsize.policy.selectors import DANGER_ALL, EVERYTHING, SELF, Selector


@dataclass(frozen=True)
class Side:
    """The source or the destination of a rule, taken apart."""

    names: frozenset[Selector] = frozenset()
    """Who, by whose node it is."""
    literals: tuple[int, ...] = ()
    everything: bool = False
    """`*` is among them."""
    anyone: bool = False
    """`autogroup:danger-all` is among them: any address at all."""
    own: bool = False
    """`autogroup:self` is among them."""

    @property
    def literal_bits(self) -> int:
        return sum(1 << number for number in set(self.literals))


def side(selectors: Iterable[Selector], literals: Literals) -> Side:
    wanted = list(dict.fromkeys(selectors))
    named = {folded(one) for one in wanted if not is_literal(one)}
    return Side(
        names=frozenset(named - {EVERYTHING, DANGER_ALL, SELF}),
        literals=tuple(literals.add(one) for one in wanted if is_literal(one)),
        everything=EVERYTHING in named,
        anyone=DANGER_ALL in named,
        own=SELF in named,
    )


@dataclass(frozen=True)
class Edge:
    """A rule between two sides; of the bitset `postures`, if it is not 0, a source must meet one."""

    number: int
    rule: Rule
    src: Side
    dst: Side
    postures: int = 0
    via: frozenset[str] = frozenset()

    def fit(self, found: NodeClass) -> bool:
        """Whether the class meets the condition on sources."""
        return not self.postures or bool(self.postures & found.postures)

    def is_source(self, found: NodeClass) -> bool:
        """Whether nodes of the class are sources, themselves or for the networks behind them."""
        if not self.fit(found):
            return False
        src = self.src
        return (
            src.everything
            or src.anyone
            or not src.names.isdisjoint(found.names)
            or bool(src.literal_bits & (found.holding | (0 if self.postures else found.touching)))
        )

    def is_destination(self, found: NodeClass) -> bool:
        """Whether nodes of the class are destinations, themselves or for the networks behind them; not as `self`."""
        dst = self.dst
        if self.via:
            return (
                bool(self.rule.flows)
                and bool(dst.literal_bits & found.touching)
                and not self.via.isdisjoint(found.tags)
            )
        return (
            dst.everything
            or not dst.names.isdisjoint(found.names)
            or bool(dst.literal_bits & (found.holding | found.touching))
        )


_OPEN = Rule(path="default", line=0, src=(EVERYTHING,), dst=(EVERYTHING,), flows=(Flow(EVERYTHING, (ALL,)),))
"""What a policy without `acls` and `grants` means."""


def edges(document: Document, literals: Literals) -> tuple[Edge, ...]:
    """The rules with their sides taken apart."""
    rules = (_OPEN,) if document.open_to_all else document.rules
    positions = {name: index for index, name in enumerate(document.postures)}
    return tuple(
        Edge(
            number,
            rule,
            side(rule.src, literals),
            side(rule.dst, literals),
            sum(1 << positions[name] for name in set(rule.postures)),
            frozenset(rule.via),
        )
        for number, rule in enumerate(rules)
    )


@dataclass
class Index:
    """Finds the rules that may speak of a class without asking each of them."""

    by_name: dict[Selector, int] = field(default_factory=dict)
    by_literal: dict[int, int] = field(default_factory=dict)
    always: int = 0

    def add(self, number: int, one: Side) -> None:
        bit = 1 << number
        for name in one.names:
            self.by_name[name] = self.by_name.get(name, 0) | bit
        for literal in one.literals:
            self.by_literal[literal] = self.by_literal.get(literal, 0) | bit
        if one.everything or one.anyone:
            self.always |= bit

    def candidates(self, found: NodeClass) -> int:
        """Bitset of rules."""
        rules = self.always
        for name in found.names:
            rules |= self.by_name.get(name, 0)
        literals = found.holding | found.touching
        while literals:
            low = literals & -literals
            rules |= self.by_literal.get(low.bit_length() - 1, 0)
            literals ^= low
        return rules


@dataclass
class Matches:
    """For each rule the classes on its sides, and for each class the rules on whose sides it is."""

    edges: Sequence[Edge]
    sources: list[int]
    destinations: list[int]
    as_source: list[tuple[int, ...]]
    """By class number; rule numbers in their order."""
    as_destination: list[tuple[int, ...]]
    src_index: Index
    dst_index: Index
    to_self: tuple[int, ...]
    """The rules with `autogroup:self` as a destination."""

    @staticmethod
    def empty(all_edges: Sequence[Edge]) -> "Matches":
        found = Matches(
            all_edges, [0] * len(all_edges), [0] * len(all_edges), [], [], Index(), Index(), _to_self(all_edges)
        )
        for edge in all_edges:
            found.src_index.add(edge.number, edge.src)
            found.dst_index.add(edge.number, edge.dst)
        return found

    def copy(self) -> "Matches":
        return Matches(
            self.edges, self.sources.copy(), self.destinations.copy(), self.as_source.copy(),
            self.as_destination.copy(), self.src_index, self.dst_index, self.to_self,
        )  # fmt: skip

    def add(self, found: NodeClass) -> None:
        """Take in the next class."""
        bit = 1 << found.number
        src = tuple(one for one in ones(self.src_index.candidates(found)) if self.edges[one].is_source(found))
        dst = tuple(one for one in ones(self.dst_index.candidates(found)) if self.edges[one].is_destination(found))
        for number in src:
            self.sources[number] |= bit
        for number in dst:
            self.destinations[number] |= bit
        self.as_source.append(src)
        self.as_destination.append(dst)


def _to_self(all_edges: Sequence[Edge]) -> tuple[int, ...]:
    return tuple(edge.number for edge in all_edges if edge.dst.own)


_IN_BYTE = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def ones(bits: int) -> list[int]:
    """The positions of the bits that are set, lowest first."""
    found: list[int] = []
    for position, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            base = position * 8
            found += [base + bit for bit in _IN_BYTE[byte]]
    return found
