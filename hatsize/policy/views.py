"""Who sees whom: two nodes see each other when a rule lets one of them reach the other, or what is behind it."""

from dataclasses import dataclass, field

from hatsize.policy.matching import Matches, ones
from hatsize.policy.population import Population


@dataclass
class Views:
    """The visible classes of a class, and the visible nodes, worked out when first asked for."""

    population: Population
    matches: Matches
    classes: dict[int, int] = field(default_factory=dict)
    nodes: dict[int, int] = field(default_factory=dict)

    def seen_classes(self, number: int) -> int:
        """The classes whose nodes the nodes of this one see, as a bitset; itself among them if they see each other."""
        found = self.classes.get(number)
        if found is None:
            found = self.classes[number] = self._work_out(number)
        return found

    def seen(self, number: int) -> int:
        """The nodes that the nodes of a class see, as a bitset of node indexes; a node may be among them itself."""
        found = self.nodes.get(number)
        if found is None:
            found = self.nodes[number] = self.population.nodes(self.seen_classes(number))
        return found

    def _work_out(self, number: int) -> int:
        matches = self.matches
        found = 0
        for one in matches.as_source[number]:
            found |= matches.destinations[one]
        for one in matches.as_destination[number]:
            found |= matches.sources[one]
        own = self.population.own_devices(number)
        for one in matches.to_self if own else ():
            sources = matches.sources[one] & own
            found |= own if sources >> number & 1 else sources
        return found

    def add(self, number: int) -> None:
        """Take note of a new class: whom it sees, sees it."""
        for other in ones(self.seen_classes(number)):
            if other in self.classes:
                self.classes[other] |= 1 << number

    def give(self, number: int, index: int) -> None:
        """Take note that a node is in a class now."""
        for other in ones(self.seen_classes(number)):
            if other in self.nodes:
                self.nodes[other] |= 1 << index

    def take(self, number: int, index: int) -> None:
        """Take note that a node is in a class no more."""
        for other in ones(self.seen_classes(number)):
            if other in self.nodes:
                self.nodes[other] &= ~(1 << index)
