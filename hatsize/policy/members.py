"""From one set of users to another: the devices of those who are somebody else to the policy are sorted anew."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from hatsize.policy.approval import Approvals
from hatsize.policy.classes import Classifier
from hatsize.policy.compiled import Compiled
from hatsize.policy.directory import Directory
from hatsize.policy.matching import ones
from hatsize.policy.population import Population
from hatsize.policy.ssh import SSHRules
from hatsize.policy.topology import Topology
from hatsize.policy.update import update
from hatsize.tailnet.model import User


def with_users(compiled: Compiled, topology: Topology, changed: Iterable[int]) -> tuple[Compiled, int]:
    """The same as `update` where users differ too, and not only nodes."""
    revised, theirs = _sorted_anew(compiled, topology)
    return update(revised, topology, {*changed, *theirs})


def _sorted_anew(compiled: Compiled, topology: Topology) -> tuple[Compiled, list[int]]:
    """The compiled policy with the topology's users, and the ids of the nodes that it must be updated with for it."""
    before, after = compiled.topology.users, topology.users
    others = {
        user_id
        for user_id in before.keys() | after.keys()
        if _judged(before.get(user_id)) != _judged(after.get(user_id))
    }
    theirs = _classes_of(others, compiled.population)
    directory = Directory(compiled.document, topology)
    population = _closed(theirs, compiled.population)
    population.classifier = Classifier(compiled.document, topology, directory, compiled.literals)
    ssh = compiled.ssh
    revised = replace(
        compiled,
        topology=replace(compiled.topology, users=after),
        directory=directory,
        population=population,
        ssh=SSHRules(population, topology, ssh.edges, ssh.known, ssh.destinations),
        capabilities=replace(compiled.capabilities, topology=topology),
        approvals=Approvals(compiled.document, directory),
    )
    return revised, [population.ordinals.at(index) for index in ones(population.nodes(theirs))]


def _judged(user: User | None) -> tuple[object, ...] | None:
    """What a policy knows a user by."""
    return None if user is None else (user.login_name, user.role, user.groups)


def _classes_of(users: Collection[int], population: Population) -> int:
    """The classes of these users' nodes, as a bitset of class numbers."""
    return sum(1 << one.number for one in population.classes if one.user_id in users) if users else 0


def _closed(classes: int, population: Population) -> Population:
    """The population with some classes that take in no more nodes; whoever is in them stays until it is updated."""
    found = population.copy()
    for number in ones(classes):
        found.numbers.pop(found.classes[number].key, None)
    return found
