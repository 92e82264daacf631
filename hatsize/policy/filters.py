"""Packet filters reduced to one node, whole and as named fragments.

A fragment holds what one source may do on the node; its name comes from how the source is written in the policy, so
that it stays while nodes come and go, and one rule's change touches one fragment.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from hashlib import blake2b

from hatsize.policy.addresses import number, own_prefixes
from hatsize.policy.classes import Facts, NodeClass
from hatsize.policy.directory import folded
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Edge, Matches, Side, ones
from hatsize.policy.population import Population
from hatsize.policy.ports import Ports
from hatsize.policy.selectors import EVERYTHING, SELF, Selector
from hatsize.policy.sources import Addresses, Source, Sources
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import CapGrant, FilterRule, NetPortRange, PortRange

COMPANIONS = {
    "tailscale.com/cap/drive": "tailscale.com/cap/drive-sharer",
    "tailscale.com/cap/relay": "tailscale.com/cap/relay-target",
}
"""Capabilities that also give one in the other direction: the destination holds it towards the source."""


Mark = tuple[int, ...]
"""What a fragment is made of, up to the node's own addresses: a hash for each rule."""


@dataclass(frozen=True)
class Spot:
    """Ports that a rule opens on a node: at the texts of a literal, or at its own addresses where there are none."""

    protocols: tuple[int, ...]
    texts: tuple[str, ...] | None
    ports: tuple[PortRange, ...]


@dataclass(frozen=True)
class Opening:
    """One rule's effect on one class: what its source may reach there."""

    name: str
    """Of the fragment."""
    source: Source
    edge: Edge
    spots: tuple[Spot, ...] = ()
    own: bool = False
    """Only as `autogroup:self`."""
    back: bool = False
    """The other way round: what the source of the rule is granted in return."""


@dataclass
class Filters:
    """Makes filters; what a class of nodes opens is worked out once."""

    population: Population
    matches: Matches
    sources: Sources
    literals: Literals
    openings: dict[int, tuple[Opening, ...]] = field(default_factory=dict)
    """By class number."""
    known: dict[tuple[int, bool], Mapping[str, Mark]] = field(default_factory=dict)
    """The marks of a class's nodes, by whether these have addresses."""
    names: dict[tuple[int, bool, bool], str] = field(default_factory=dict)

    def updated(self, population: Population, matches: Matches, sources: Sources, stale: int) -> "Filters":
        """The same for a population in which the sources of some classes' filters, given as a bitset, are different."""
        known = self.known.copy()
        for one in ones(stale):
            known.pop((one, True), None)
            known.pop((one, False), None)
        openings = self.openings.copy()
        return replace(self, population=population, matches=matches, sources=sources, openings=openings, known=known)

    def rules(self, node_id: int) -> tuple[FilterRule, ...]:
        """The node's filter; rules of equal sources and protocols are one."""
        merged: dict[tuple[int, tuple[int, ...]], tuple[tuple[str, ...], list[NetPortRange]]] = {}
        grants: list[FilterRule] = []
        for _, sources, rule in self._each(node_id):
            if rule.CapGrant:
                grants.append(rule)
            else:
                found = merged.setdefault((sources.digest, tuple(rule.IPProto)), (sources.texts, []))
                found[1].extend(rule.DstPorts)
        traffic = (
            FilterRule(SrcIPs=texts, DstPorts=tuple(ports), IPProto=protocols)
            for (_, protocols), (texts, ports) in merged.items()
        )
        return (*traffic, *grants)

    def fragments(self, node_id: int, names: Collection[str] | None = None) -> Mapping[str, tuple[FilterRule, ...]]:
        """The same as named fragments, which together have the effect of the whole; all, or those with the names."""
        found: dict[str, list[FilterRule]] = {}
        for opening, _, rule in self._each(node_id, names):
            found.setdefault(opening.name, []).append(rule)
        return {name: tuple(rules) for name, rules in found.items()}

    def marks(self, node_id: int) -> Mapping[str, Mark]:
        """What each fragment of the node is made of; one mapping for all nodes of a class."""
        facts = self.population.facts[node_id]
        key = (facts.number, bool(facts.addresses))
        marks = self.known.get(key)
        if marks is None:
            found: dict[str, list[int]] = {}
            for opening, sources, rule in self._each(node_id):
                found.setdefault(opening.name, []).append(_mark(opening, sources, rule, facts.number))
            marks = self.known[key] = {name: tuple(parts) for name, parts in found.items()}
        return marks

    def _each(
        self, node_id: int, names: Collection[str] | None = None
    ) -> Iterator[tuple[Opening, Addresses, FilterRule]]:
        """Every rule for the node, in the order of the document; what is granted in return comes last."""
        facts = self.population.facts[node_id]
        own = self.population.classes[facts.number]
        for opening in self._openings(own):
            if names is not None and opening.name not in names:
                continue
            sources = self.sources.addresses(opening.source, partial(self._classes, opening))
            rules = (
                self._returned(opening, sources, facts) if opening.back else self._given(opening, sources, facts, own)
            )
            for rule in rules:
                yield opening, sources, rule

    def _classes(self, opening: Opening) -> int:
        """The classes on the side that is the opening's source."""
        number, user_id = opening.edge.number, opening.source.user_id
        devices = self.population.by_user.get(user_id, 0) if user_id is not None else -1
        if opening.back:
            return devices if opening.own else self.matches.destinations[number]
        return self.matches.sources[number] & devices

    def _openings(self, own: NodeClass) -> tuple[Opening, ...]:
        found = self.openings.get(own.number)
        if found is None:
            found = self.openings[own.number] = (*self._opened(own), *self._companions(own))
        return found

    def _opened(self, own: NodeClass) -> Iterator[Opening]:
        matches, devices = self.matches, self.population.own_devices(own.number)
        reached = matches.as_destination[own.number]
        for one in sorted({*reached, *(matches.to_self if devices else ())}):
            edge = matches.edges[one]
            if one in reached:
                yield self._opening(edge, own, as_self=False)
            if edge.dst.own and devices:
                yield self._opening(edge, own, as_self=True)

    def _opening(self, edge: Edge, own: NodeClass, *, as_self: bool) -> Opening:
        spots = []
        for flow in edge.rule.flows:
            texts = self._places(flow.dst, edge, own, as_self=as_self)
            if texts is None or texts:
                spots.append(Spot(flow.protocols, texts, tuple(map(port_range, flow.ports))))
        source = source_of(edge, own.user_id if as_self else None)
        return Opening(self._name(edge.rule.src, edge, as_self), source, edge, tuple(spots), as_self)

    def _name(self, source: Sequence[Selector], edge: Edge, own: bool, *, back: bool = False) -> str:
        key = edge.number, own, back
        found = self.names.get(key)
        if found is None:
            found = self.names[key] = fragment_name(source, own, back=back)
        return found

    def _companions(self, own: NodeClass) -> Iterator[Opening]:
        """What the class is granted in return for capabilities of which it is the source."""
        devices = self.population.own_devices(own.number)
        for one in self.matches.as_source[own.number]:
            edge = self.matches.edges[one]
            if edge.via or COMPANIONS.keys().isdisjoint(edge.rule.app) or not _is_own_source(edge, own):
                continue
            if edge.dst.own and devices:
                name = self._name(edge.rule.dst, edge, own=True, back=True)
                yield Opening(name, back_source(edge, own.user_id), edge, own=True, back=True)
            if edge.dst != _ONLY_SELF:
                name = self._name(edge.rule.dst, edge, own=False, back=True)
                yield Opening(name, back_source(edge), edge, back=True)

    def _given(self, opening: Opening, sources: Addresses, facts: Facts, own: NodeClass) -> Iterator[FilterRule]:
        if sources.texts:
            yield from _traffic(opening, sources.texts, facts)
        if opening.edge.rule.app and not opening.edge.via:
            yield from self._grant(opening, sources.texts, facts, own)

    def _returned(self, opening: Opening, sources: Addresses, facts: Facts) -> Iterator[FilterRule]:
        for capability, companion in COMPANIONS.items():
            if sources.texts and capability in opening.edge.rule.app:
                grant = CapGrant(Dsts=own_prefixes(facts.addresses), CapMap={companion: None})
                yield FilterRule(SrcIPs=sources.texts, CapGrant=(grant,))

    def _places(self, dst: Selector, edge: Edge, own: NodeClass, *, as_self: bool) -> tuple[str, ...] | None:
        """How a destination is written for a class: None for a node's own addresses, empty if it is not there."""
        if dst == SELF or as_self:
            return None if dst == SELF and as_self else ()
        if dst == EVERYTHING:
            return () if edge.via else ("*",)
        found = self.literals.numbers.get(dst)
        if found is None:
            return None if not edge.via and folded(dst) in own.names else ()
        here = own.touching if edge.via else own.touching | own.holding
        return self.literals.table[found].texts if here >> found & 1 else ()

    def _grant(self, opening: Opening, texts: tuple[str, ...], facts: Facts, own: NodeClass) -> Iterator[FilterRule]:
        places = dict.fromkeys(
            prefix for dst in opening.edge.rule.dst for prefix in self._prefixes(dst, opening, facts, own)
        )
        if places:
            grant = CapGrant(Dsts=tuple(places), CapMap=opening.edge.rule.app)
            yield FilterRule(SrcIPs=texts, CapGrant=(grant,))

    def _prefixes(self, dst: Selector, opening: Opening, facts: Facts, own: NodeClass) -> Sequence[str]:
        """Where on the node capabilities are granted: its own addresses, or a network behind it."""
        if dst == EVERYTHING and not opening.own:
            return own_prefixes(facts.addresses)
        texts = self._places(dst, opening.edge, own, as_self=opening.own)
        if not texts:
            return own_prefixes(facts.addresses) if texts is None else ()
        found = self.literals.numbers[dst]
        spans = self.literals.table[found].spans
        inside = tuple(address for address in facts.addresses if number(address) in spans)
        behind = own.touching >> found & 1
        return (*own_prefixes(inside), *(as_prefix(text) for text in texts if behind and text not in inside))


_EVERYONE = Side(everything=True)
_ONLY_SELF = Side(own=True)


def as_prefix(text: str) -> str:
    return text if "/" in text else own_prefixes((text,))[0]


def source_of(edge: Edge, user_id: int | None = None) -> Source:
    """Where packets that a rule lets through come from; confined to a user's own devices for `autogroup:self`."""
    return Source(edge.src, edge.postures, user_id)


def back_source(edge: Edge, user_id: int | None = None) -> Source:
    """The destination of a rule as a source."""
    if user_id is not None:
        return Source(_EVERYONE, 0, user_id)
    return Source(Side(edge.dst.names, edge.dst.literals, edge.dst.everything))


def _is_own_source(edge: Edge, own: NodeClass) -> bool:
    """Whether nodes of the class are sources themselves, and not only the networks behind them."""
    src = edge.src
    named = src.everything or src.anyone or not src.names.isdisjoint(own.names)
    return named or bool(src.literal_bits & own.holding)


def fragment_name(source: Sequence[Selector], own: bool, *, back: bool = False) -> str:
    """A fragment's name: the digest of its source as the policy has it."""
    parts = sorted(set(map(str, source))), own, back
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


@cache
def port_range(ports: Ports) -> PortRange:
    return PortRange(First=ports.first, Last=ports.last)


def _traffic(opening: Opening, sources: tuple[str, ...], facts: Facts) -> Iterator[FilterRule]:
    by_protocol: dict[tuple[int, ...], list[NetPortRange]] = {}
    for spot in opening.spots:
        places = facts.addresses if spot.texts is None else spot.texts
        by_protocol.setdefault(spot.protocols, []).extend(
            NetPortRange(IP=place, Ports=part) for place in places for part in spot.ports
        )
    for protocols, there in by_protocol.items():
        if there:
            yield FilterRule(SrcIPs=sources, DstPorts=tuple(there), IPProto=protocols)


def _mark(opening: Opening, sources: Addresses, rule: FilterRule, number: int) -> int:
    """Equal for nodes of equal addresses only if the rule is equal; `number` is their class's."""
    if rule.DstPorts:
        return hash((opening.spots, sources.digest))
    return hash((number, tailcfg.encode(rule), tuple(map(str, opening.edge.rule.dst))))
