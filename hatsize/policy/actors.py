"""The parties of a single question to a policy: this source, that destination."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hatsize.policy.addresses import TAILNET_SOURCES, IPSet, is_exit, number
from hatsize.policy.classes import posture_attributes
from hatsize.policy.compiled import Compiled
from hatsize.policy.directory import Names
from hatsize.policy.document import Flow
from hatsize.policy.matching import Edge, side
from hatsize.policy.selectors import EVERYTHING, SELF, Kind, Selector, read_selector
from hatsize.tailnet.model import Node, User


@dataclass(frozen=True)
class Actor:
    """One device, or one address, or somebody without a device. `places` are addresses as numbers."""

    label: str
    names: Names = frozenset()
    places: tuple[int, ...] = ()
    user_id: int | None = None
    tags: frozenset[str] = frozenset()
    node_id: int | None = None
    attributes: Mapping[str, Any] | None = None


class UnknownActorError(ValueError):
    """Nobody and nothing is called that."""


def actors(compiled: Compiled, name: str) -> list[Actor]:
    """Everyone a name stands for: a node's name, an address, a host, or a selector of users or tags."""
    selector = read_selector(name)
    if selector.kind in {Kind.USER, Kind.TAG, Kind.GROUP, Kind.DOMAIN, Kind.AUTOGROUP}:
        found = list(_named(compiled, selector))
        if not found:
            raise UnknownActorError(f'"{name}" names nobody')
        return found
    by_name = [node for node in compiled.topology.nodes.values() if node.given_name == name]
    if by_name:
        return [of_node(compiled, by_name[0])]
    return [_at(compiled, compiled.document.hosts.get(selector.name, selector.name), name)]


def _named(compiled: Compiled, selector: Selector) -> Iterable[Actor]:
    folded = next(iter(side((selector,), compiled.literals).names), None)
    directory, topology = compiled.directory, compiled.topology
    for node in topology.nodes.values():
        actor = of_node(compiled, node)
        if folded in actor.names:
            yield actor
    owners = {node.user_id for node in topology.nodes.values() if not node.tags}
    for user in topology.users.values():
        if user.id not in owners and folded in directory.of_user(user):
            yield of_user(compiled, user)
    tag = selector.name
    if selector.kind is Kind.TAG and tag in compiled.document.tag_owners and not _has_tag(topology.nodes.values(), tag):
        yield Actor(tag, directory.of_tags(frozenset({tag})), tags=frozenset({tag}))


def _has_tag(nodes: Iterable[Node], tag: str) -> bool:
    return any(tag in node.tags for node in nodes)


def of_user(compiled: Compiled, user: User) -> Actor:
    """A user without a device."""
    return Actor(user.login_name, compiled.directory.of_user(user), user_id=user.id)


def of_node(compiled: Compiled, node: Node) -> Actor:
    tags = frozenset(node.tags)
    user_id = None if tags else node.user_id
    names = compiled.directory.of(user_id, tags, shared=node.id in compiled.topology.shared)
    places = tuple(number(address) for address in node.addresses)
    return Actor(node.given_name, names, places, user_id, tags, node.id, posture_attributes(node))


def _at(compiled: Compiled, address: str, label: str) -> Actor:
    try:
        place = number(address)
    except ValueError:
        what = "a network, not one address" if "/" in address else "no node, host, user, tag or address"
        raise UnknownActorError(f'"{label}" is {what}') from None
    for node in compiled.topology.nodes.values():
        if address in node.addresses:
            return replace(of_node(compiled, node), label=label)
    return Actor(label, places=(place,))


def lets(compiled: Compiled, edge: Edge, src: Actor, dst: Actor) -> list[Flow]:
    """The flows that a rule opens between two parties."""
    if not is_source(compiled, edge, src):
        return []
    return [flow for flow in edge.rule.flows if is_target(compiled, edge, flow.dst, src, dst)]


def is_source(compiled: Compiled, edge: Edge, src: Actor) -> bool:
    """Whether a rule has the party as a source."""
    one = edge.src
    if not meets(compiled, edge.rule.postures, src):
        return False
    return (
        one.anyone
        or not one.names.isdisjoint(src.names)
        or (one.everything and _is_anybody(compiled, src))
        or any(place in compiled.literals.table[literal].spans for literal in one.literals for place in src.places)
    )


def meets(compiled: Compiled, postures: Sequence[str], src: Actor) -> bool:
    """Whether a source meets one of the postures, where there are any."""
    attributes = src.attributes or {}
    return not postures or any(compiled.document.postures[name].holds(attributes) for name in postures)


def _is_anybody(compiled: Compiled, src: Actor) -> bool:
    """Whether `*` covers a source: everybody in the tailnet, and the networks behind it."""
    if src.names or not src.places:
        return True
    spans = IPSet.of(*TAILNET_SOURCES, *(route for route in compiled.population.routers if not is_exit(route)))
    return any(place in spans for place in src.places)


def is_target(compiled: Compiled, edge: Edge, target: Selector, src: Actor, dst: Actor) -> bool:
    """Whether a destination of a rule, as it was written, has the party `dst` in it."""
    if target == SELF:
        return dst.user_id is not None and dst.user_id == src.user_id
    if target == EVERYTHING:
        return not edge.via
    literal = compiled.literals.numbers.get(target)
    if literal is not None:
        spans = compiled.literals.table[literal].spans
        return any(place in spans for place in dst.places)
    return not edge.via and not side((target,), compiled.literals).names.isdisjoint(dst.names)
