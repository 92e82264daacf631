"""What becomes of a compiled policy when nodes come, go or change: only what they touch is worked out anew."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hatsize.policy.classes import Facts
from hatsize.policy.compiled import Compiled
from hatsize.policy.filters import COMPANIONS, back_source, source_of
from hatsize.policy.matching import Matches, ones
from hatsize.policy.population import Population
from hatsize.policy.sources import Source
from hatsize.policy.ssh import SSHRules
from hatsize.policy.topology import Topology
from hatsize.policy.views import Views


@dataclass
class _Step:
    """A change under way: the population and the rules' matches after it, and what it has touched."""

    population: Population
    matches: Matches
    views: Views
    classes: set[int] = field(default_factory=set)
    """Classes that nodes have left or joined."""
    nodes: int = 0
    """Bitset of the nodes themselves."""
    routes: set[str] = field(default_factory=set)
    """Routes that are served by others than before."""

    def is_answered(self, number: int) -> bool:
        """Whether a rule also grants its sources something in return."""
        return not COMPANIONS.keys().isdisjoint(self.matches.edges[number].rule.app)


def update(compiled: Compiled, topology: Topology, changed: Iterable[int]) -> tuple[Compiled, int]:
    """The compiled policy after the change, and the bitset of the nodes that are themselves told something new of it.

    Who sees whom is not in it: that is quicker asked than kept.
    """
    population, matches = compiled.population.copy(), compiled.matches.copy()
    views = Views(population, matches, compiled.views.classes.copy(), compiled.views.nodes.copy())
    step = _Step(population, matches, views)
    for node_id in changed:
        _change(step, topology, node_id)
    stale = _stale(step)
    if step.routes:
        stale.sources.update(source for source in compiled.sources.known if source.side.everything)
    sources = compiled.sources.updated(population, stale.sources)
    filters = compiled.filters.updated(population, matches, sources, stale.classes)
    routing = replace(
        compiled.routing,
        population=population,
        matches=matches,
        sticky=topology.primaries,
        online=-1 if topology.online is None else population.ordinals.bits(topology.online),
        accesses=compiled.routing.accesses.copy() if not step.classes else {},
        elected={},
    )
    ssh, by_ssh = _ssh(step, compiled.ssh)
    after = replace(
        compiled,
        topology=topology,
        population=population,
        matches=matches,
        sources=sources,
        views=views,
        filters=filters,
        routing=routing,
        ssh=ssh,
        capabilities=replace(compiled.capabilities, population=population, known=compiled.capabilities.known.copy()),
    )
    return after, (step.nodes | population.nodes(stale.classes)) & ~_gone(step) | by_ssh


def _change(step: _Step, topology: Topology, node_id: int) -> None:
    population = step.population
    before = population.facts.get(node_id)
    routes_before = population.classes[before.number].routes if before else ()
    node = topology.nodes.get(node_id)
    after = population.put(node) if node is not None else None
    if after is None and before is not None:
        population.remove(node_id)
        population.forget(node_id)
    if after is not None and len(step.matches.as_source) < len(population.classes):
        step.matches.add(population.classes[after.number])
        step.views.add(after.number)
    if (
        before
        and after
        and (before.number, before.addresses, before.index) == (after.number, after.addresses, after.index)
    ):
        return
    _move(step, before, after)
    routes_after = population.classes[after.number].routes if after else ()
    step.routes |= set(routes_before) ^ set(routes_after)


def _move(step: _Step, before: Facts | None, after: Facts | None) -> None:
    for facts in (before, after):
        if facts is not None:
            step.classes.add(facts.number)
            step.nodes |= 1 << facts.index
    if before is not None:
        step.views.take(before.number, before.index)
    if after is not None:
        step.views.give(after.number, after.index)


@dataclass
class _Stale:
    """The sources whose addresses are not what they were, and the classes whose filters draw on one of them."""

    sources: set[Source] = field(default_factory=set)
    classes: int = 0

    def add(self, source: Source, classes: int) -> None:
        self.sources.add(source)
        self.classes |= classes


def _stale(step: _Step) -> _Stale:
    found, matches = _Stale(), step.matches
    for number in step.classes:
        devices = step.population.own_devices(number)
        user_id = step.population.classes[number].user_id
        for one in matches.as_source[number]:
            edge = matches.edges[one]
            if edge.postures or not (edge.src.everything or edge.src.anyone):
                found.add(source_of(edge), matches.destinations[one])
            if devices and edge.dst.own:
                found.add(source_of(edge, user_id), devices)
        for one in filter(step.is_answered, matches.as_destination[number]):
            found.add(back_source(matches.edges[one]), matches.sources[one])
        for one in filter(step.is_answered, matches.to_self if devices else ()):
            found.add(back_source(matches.edges[one], user_id), devices)
    for edge in matches.edges if step.routes else ():
        if edge.src.everything:
            found.classes |= matches.destinations[edge.number]
        if edge.dst.everything and step.is_answered(edge.number):
            found.classes |= matches.sources[edge.number]
    return found


def _gone(step: _Step) -> int:
    return step.nodes & ~sum(own.nodes for own in (step.population.classes[number] for number in step.classes))


def _ssh(step: _Step, rules: SSHRules) -> tuple[SSHRules, int]:
    """The SSH rules without those that speak of the touched classes, and the nodes these were for."""
    population, known = step.population, rules.known.copy()
    touched = [population.classes[number] for number in step.classes]
    tags = frozenset(tag for own in touched for tag in own.tags)
    after = SSHRules(population, rules.topology, rules.edges, known, rules.destinations.copy())
    stale = 0
    for edge in rules.edges:
        for own in touched:
            stale |= after.told_of(edge, own)
        if not tags.isdisjoint(edge.rule.recorders):
            stale |= (1 << len(population.classes)) - 1
    for number in ones(stale):
        known.pop(number, None)
    return after, population.nodes(stale)
