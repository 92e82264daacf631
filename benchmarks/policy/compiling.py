"""Compiling a policy for 5,000 nodes, following changes, and the same by looking at all pairs.

Run: python benchmarks/policy/compiling.py [--json]
"""

import argparse
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatsize.policy.revise import revise
from hatsize.policy.update import update

sys.path.insert(0, str(Path(__file__).parent))

import msgspec
from tailnet import Shape

from hatsize.policy import Compiled, Document, Topology, compile_policy, read_document
from hatsize.policy.actors import lets, of_node


def timed(action: Callable[[], Any], repeat: int = 5) -> float:
    """The median of some runs, in milliseconds of processor time: what else runs on the machine does not count."""
    spent = []
    for _ in range(repeat):
        gc.collect()
        start = time.process_time()
        action()
        spent.append((time.process_time() - start) * 1000)
    return statistics.median(spent)


def all_views(compiled: Compiled) -> None:
    for node_id in compiled.topology.nodes:
        compiled.visible(node_id)


def all_filters(compiled: Compiled) -> None:
    for node_id in compiled.topology.nodes:
        compiled.filter_rules(node_id)


def made(document: Document, topology: Topology) -> Compiled:
    """Compiled, with everything that is remembered once every node has asked for what it is sent."""
    compiled = compile_policy(document, topology)
    all_views(compiled)
    all_filters(compiled)
    return compiled


def joining(compiled: Compiled, topology: Topology, shape: Shape, count: int = 200) -> tuple[float, float]:
    """Median time of one more node: the update alone, and with what the new node itself is sent."""
    alone, with_own = [], []
    for number in range(100_000, 100_000 + count):
        node = shape.node(number)
        node = msgspec.structs.replace(node, ipv4=f"100.100.{number // 256 % 256}.{number % 256}")
        topology = topology.with_node(node)
        start = time.process_time()
        compiled, _ = update(compiled, topology, [number])
        alone.append((time.process_time() - start) * 1000)
        compiled.visible(number)
        compiled.filter_fragments(number)
        with_own.append((time.process_time() - start) * 1000)
    return statistics.median(alone), statistics.median(with_own)


def pairs(compiled: Compiled, sample: int) -> float:
    """Milliseconds for the views of some nodes by asking every rule about every pair."""
    actors = [of_node(compiled, node) for node in compiled.topology.nodes.values()]
    start = time.process_time()
    for viewer in actors[:sample]:
        for peer in actors:
            any(
                lets(compiled, edge, viewer, peer) or lets(compiled, edge, peer, viewer)
                for edge in compiled.matches.edges
            )
    return (time.process_time() - start) * 1000


def one_rule(compiled: Compiled, text: str, dst: str) -> tuple[float, int]:
    """Milliseconds to follow the change of one rule's destination, its effect on all it touches included; how many."""
    raw = json.loads(text)
    raw["acls"][0] = {"action": "accept", "src": ["tag:t2"], "dst": [dst]}
    document = read_document(json.dumps(raw))
    start = time.process_time()
    found = revise(compiled, document)
    assert found is not None, "only a rule differs"
    after, affected = found
    for node_id in after.population.ordinals.ids(affected):
        after.visible(node_id)
        after.filter_fragments(node_id)
    return (time.process_time() - start) * 1000, affected.bit_count()


def memory(action: Callable[[], Any]) -> float:
    """MiB that what the action returns holds on to."""
    gc.collect()
    tracemalloc.start()
    kept = action()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return held / 2**20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--nodes", type=int, default=5000)
    options = arguments.parse_args()
    shape = Shape(nodes=options.nodes)
    topology, text = shape.topology(), shape.policy()
    document = read_document(text)
    compiled = compile_policy(document, topology)
    figures = {
        "classes": len(compiled.population.classes),
        "read_ms": timed(lambda: read_document(text)),
        "compile_ms": timed(lambda: compile_policy(document, topology)),
        "compile_and_views_ms": timed(lambda: all_views(compile_policy(document, topology))),
        "all_filters_ms": timed(lambda: all_filters(compile_policy(document, topology)), 3),
        "memory_compiled_mib": memory(lambda: compile_policy(document, topology)),
        "memory_with_all_made_mib": memory(lambda: made(document, topology)),
    }
    all_views(compiled)
    figures["join_ms"], figures["join_with_own_artefacts_ms"] = joining(compiled, topology, shape)
    figures["rule_to_few_ms"], figures["rule_to_few_nodes"] = one_rule(compiled, text, "tag:t1:2222")
    figures["rule_to_many_ms"], figures["rule_to_many_nodes"] = one_rule(compiled, text, "autogroup:tagged:2222")
    figures["all_pairs_views_s"] = pairs(compiled, 5) / 5 * options.nodes / 1000
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value:12.2f}" if isinstance(value, float) else f"{name:28} {value:12}")


if __name__ == "__main__":
    main()
