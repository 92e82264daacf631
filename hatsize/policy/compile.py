"""Compiles a policy for a tailnet: nodes are sorted into classes, and the rules onto these."""

from hatsize.policy.approval import Approvals
from hatsize.policy.capabilities import Capabilities
from hatsize.policy.classes import Classifier
from hatsize.policy.compiled import Compiled
from hatsize.policy.directory import Directory
from hatsize.policy.document import Document
from hatsize.policy.filters import Filters
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Matches, edges
from hatsize.policy.population import Population
from hatsize.policy.routing import Routing
from hatsize.policy.sources import Sources
from hatsize.policy.ssh import SSHRules, ssh_edges
from hatsize.policy.topology import Topology
from hatsize.policy.views import Views
from hatsize.tailnet.ordinals import Ordinals


def compile_policy(document: Document, topology: Topology, ordinals: Ordinals | None = None) -> Compiled:
    """Compile for a tailnet. `ordinals` gives the nodes' indexes, by default an own one."""
    literals = Literals(document, topology)
    all_edges = edges(document, literals)
    all_ssh = ssh_edges(document, literals)
    directory = Directory(document, topology)
    population = Population(Classifier(document, topology, directory, literals), ordinals or Ordinals())
    population.fill(topology.nodes.values())
    matches = Matches.empty(all_edges)
    for found in population.classes:
        matches.add(found)
    sources = Sources(population, literals)
    return Compiled(
        document=document,
        topology=topology,
        directory=directory,
        literals=literals,
        population=population,
        matches=matches,
        sources=sources,
        views=Views(population, matches),
        filters=Filters(population, matches, sources, literals),
        routing=Routing(population, matches, literals, topology.primaries, population.connected(topology.online)),
        ssh=SSHRules(population, topology, all_ssh),
        capabilities=Capabilities(document, topology, population),
        approvals=Approvals(document, directory),
    )
