"""The nodes of a tailnet in their classes, with their indexes, and what changes when a node does."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hatsize.policy.classes import Classifier, ClassKey, Facts, NodeClass, with_node, without_node
from hatsize.policy.matching import ones
from hatsize.policy.selectors import Selector
from hatsize.tailnet.model import Node
from hatsize.tailnet.ordinals import Ordinals


@dataclass
class Population:
    """Facts by node id, classes by number. `ordinals` gives the indexes, and may be shared with the state."""

    classifier: Classifier
    ordinals: Ordinals
    facts: dict[int, Facts] = field(default_factory=dict)
    classes: list[NodeClass] = field(default_factory=list)
    numbers: dict[ClassKey, int] = field(default_factory=dict)
    by_user: dict[int, int] = field(default_factory=dict)
    """The classes of a user's own devices, as bitsets of class numbers."""
    routers: dict[str, int] = field(default_factory=dict)
    """By route, the nodes that serve it, as a bitset of node indexes."""

    def copy(self) -> "Population":
        return Population(
            self.classifier, self.ordinals, self.facts.copy(), self.classes.copy(), self.numbers.copy(),
            self.by_user.copy(), self.routers.copy(),
        )  # fmt: skip

    def put(self, node: Node) -> Facts:
        """Take in a node, or what it has become."""
        self.remove(node.id)
        key = self.classifier.key(node)
        number = self.numbers.get(key)
        if number is None:
            number = self._new_class(key)
        index = self.ordinals.add(node.id)
        own = self.classes[number] = with_node(self.classes[number], index)
        for route in own.routes:
            self.routers[route] = self.routers.get(route, 0) | 1 << index
        addresses = tuple(one for one in node.addresses if ":" in one) if own.no_ipv4 else node.addresses
        facts = self.facts[node.id] = Facts(node, index, number, addresses)
        return facts

    def remove(self, node_id: int) -> Facts | None:
        """Take a node out; its class stays."""
        old = self.facts.pop(node_id, None)
        if old is not None:
            own = self.classes[old.number] = without_node(self.classes[old.number], old.index)
            for route in own.routes:
                self.routers[route] &= ~(1 << old.index)
                if not self.routers[route]:
                    del self.routers[route]
        return old

    def forget(self, node_id: int) -> None:
        """Give up a removed node's index, if nobody else has done so."""
        if self.ordinals.get(node_id) is not None:
            self.ordinals.remove(node_id, 0)
            self.ordinals.release(0)

    def fill(self, nodes: Iterable[Node]) -> None:
        """Take in all nodes at once."""
        for node in nodes:
            self.put(node)

    def _new_class(self, key: ClassKey) -> int:
        number = self.numbers[key] = len(self.classes)
        found = self.classifier.make(number, key)
        self.classes.append(found)
        if found.user_id is not None and not found.shared:
            self.by_user[found.user_id] = self.by_user.get(found.user_id, 0) | 1 << number
        return number

    def class_of(self, node_id: int) -> NodeClass:
        return self.classes[self.facts[node_id].number]

    def own_devices(self, number: int) -> int:
        """The classes of the devices that belong to the same user as those of a class; none for tagged ones."""
        own = self.classes[number]
        return self.by_user.get(own.user_id, 0) if own.user_id is not None and not own.shared else 0

    def nodes(self, classes: int) -> int:
        """The nodes of some classes, as a bitset of node indexes."""
        found = 0
        for number in ones(classes):
            found |= self.classes[number].nodes
        return found

    def connected(self, online: frozenset[int] | None) -> int:
        """The nodes that have a map stream, as a bitset of node indexes; all where that is not known."""
        return -1 if online is None else self.ordinals.bits(online)

    def addresses(self, nodes: int) -> list[str]:
        """The addresses of some nodes, a node's own together, as many as there are."""
        at, facts = self.ordinals.at, self.facts
        return [address for index in ones(nodes) for address in facts[at(index)].addresses]

    def named(self, names: frozenset[Selector], classes: int) -> int:
        """Of some classes those that answer to one of the names."""
        found = 0
        for number in ones(classes):
            if not names.isdisjoint(self.classes[number].names):
                found |= 1 << number
        return found
