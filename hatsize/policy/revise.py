"""From one policy document to the next: rules that differ are matched anew, and only whom they speak of is told."""

import json
from collections.abc import Hashable
from dataclasses import dataclass, replace

from hatsize.policy.approval import Approvals
from hatsize.policy.compiled import Compiled
from hatsize.policy.document import Document, Rule
from hatsize.policy.matching import Edge, Matches, edges, ones
from hatsize.policy.views import Views

_SETTLED = (
    "groups", "hosts", "ipsets", "postures", "node_attrs", "ssh", "disable_ipv4", "one_cgnat_route",
    "randomize_client_port", "derp_map",
)  # fmt: skip
"""The sections of which none may differ, so that rules which read the same mean the same."""


def revise(compiled: Compiled, document: Document) -> tuple[Compiled, int] | None:
    """The compiled policy under another document, and the bitset of the nodes for which it means something new.

    None where more than the rules differ, or a rule names an address that none has named before: compile anew then.
    """
    if any(getattr(document, name) != getattr(compiled.document, name) for name in _SETTLED):
        return None
    known = len(compiled.literals.table)
    literals = compiled.literals.copy()
    all_edges = edges(document, literals)
    if len(literals.table) > known:
        return None
    rematched = _rematch(compiled, all_edges)
    return _under(compiled, document, rematched), compiled.population.nodes(rematched.touched)


@dataclass
class _Rematched:
    matches: Matches
    touched: int = 0
    """The classes that a rule which is new or gone speaks of."""
    moved: bool = False
    """Whether a rule that stays stands elsewhere than before."""


def _rematch(compiled: Compiled, all_edges: tuple[Edge, ...]) -> _Rematched:
    """The matches of the new rules; those of rules that stay are taken over."""
    before, classes = compiled.matches, compiled.population.classes
    waiting: dict[Hashable, list[int]] = {}
    for edge in before.edges:
        waiting.setdefault(_meaning(edge.rule), []).append(edge.number)
    after = Matches.empty(all_edges)
    found = _Rematched(after)
    for edge in all_edges:
        same = waiting.get(_meaning(edge.rule))
        if same:
            number = same.pop(0)
            found.moved |= number != edge.number
            after.sources[edge.number] = before.sources[number]
            after.destinations[edge.number] = before.destinations[number]
        else:
            after.sources[edge.number] = sum(1 << one.number for one in classes if edge.is_source(one))
            after.destinations[edge.number] = sum(1 << one.number for one in classes if edge.is_destination(one))
            found.touched |= _spoken_of(compiled, after, edge)
    for numbers in waiting.values():
        for number in numbers:
            found.touched |= _spoken_of(compiled, before, before.edges[number])
    again = (1 << len(classes)) - 1 if found.moved else found.touched
    after.as_source = _by_class(after.sources, before.as_source, again)
    after.as_destination = _by_class(after.destinations, before.as_destination, again)
    return found


def _meaning(rule: Rule) -> Hashable:
    """Equal for rules that do the same, wherever they stand."""
    app = json.dumps(rule.app, sort_keys=True, default=list) if rule.app else ""
    return rule.src, rule.dst, rule.flows, rule.via, rule.postures, app


def _spoken_of(compiled: Compiled, matches: Matches, edge: Edge) -> int:
    """The classes that are told something because of a rule."""
    sources, destinations = matches.sources[edge.number], matches.destinations[edge.number]
    devices = 0
    if edge.dst.own:
        for number in ones(sources):
            devices |= compiled.population.own_devices(number)
    if not (destinations or devices):
        return 0
    return sources | destinations | devices


def _by_class(rules: list[int], before: list[tuple[int, ...]], again: int) -> list[tuple[int, ...]]:
    """For each class the rules in whose bitset it is; worked out anew for the classes `again`."""
    found = before.copy()
    fresh: dict[int, list[int]] = {number: [] for number in ones(again)}
    for rule, bits in enumerate(rules):
        for number in ones(bits & again):
            fresh[number].append(rule)
    for number, numbers in fresh.items():
        found[number] = tuple(numbers)
    return found


def _under(compiled: Compiled, document: Document, rematched: _Rematched) -> Compiled:
    views, filters, matches, touched = compiled.views, compiled.filters, rematched.matches, rematched.touched
    kept = {number: seen for number, seen in views.classes.items() if not touched >> number & 1}
    nodes = {number: seen for number, seen in views.nodes.items() if not touched >> number & 1}
    openings = {number: one for number, one in filters.openings.items() if not touched >> number & 1}
    if rematched.moved:
        openings = {}
    return replace(
        compiled,
        document=document,
        matches=matches,
        views=Views(compiled.population, matches, kept, nodes),
        filters=replace(filters, matches=matches, openings=openings, names={}, known={}),
        routing=replace(compiled.routing, matches=matches, accesses={}, elected={}),
        capabilities=replace(compiled.capabilities, document=document),
        approvals=Approvals(document, compiled.directory),
    )
