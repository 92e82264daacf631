"""What each node would be sent under a policy, as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from hatsize.policy.compile import compile_policy
from hatsize.policy.compiled import Compiled
from hatsize.policy.matching import ones
from hatsize.policy.read import read_document
from hatsize.policy.topology import Topology
from hatsize.policy.trials import run_tests
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg


class Sent(Protocol):
    """The part of a compiled policy that says what nodes are sent."""

    def filter_rules(self, node_id: int) -> Sequence[tailcfg.FilterRule]: ...

    def ssh_policy(self, node_id: int) -> tailcfg.SSHPolicy: ...

    def visible(self, node_id: int) -> int: ...

    def node_at(self, index: int) -> int: ...

    def allowed_ips(self, viewer_id: int, peer_id: int) -> Sequence[str]: ...

    def primary_routes(self, viewer_id: int, peer_id: int) -> Sequence[str]: ...

    def self_cap_map(self, node_id: int) -> Mapping[str, Sequence[Any] | None]: ...


def load(text: str | bytes, topology: Topology) -> Compiled:
    """Read, compile and test a policy. Raises PolicyError for one that would be refused."""
    compiled = compile_policy(read_document(text, topology.domain), topology)
    run_tests(compiled)
    return compiled


def preview(text: str | bytes, topology: Topology) -> dict[str, dict[str, Any]]:
    """By node name: `packet_filter_rules`, `ssh_rules`, `peers` and `cap_map`. Raises PolicyError."""
    return shown(load(text, topology))


def shown(compiled: Compiled) -> dict[str, dict[str, Any]]:
    """The same of a policy that is compiled already."""
    nodes = compiled.topology.nodes
    return sent(compiled, nodes, nodes)


def sent(compiled: Sent, nodes: Mapping[int, Node], wanted: Iterable[int]) -> dict[str, dict[str, Any]]:
    """The same of some of the nodes there are, by whichever engine the policy was compiled."""
    return {nodes[node_id].given_name: _node(compiled, nodes, node_id) for node_id in wanted}


def _node(compiled: Sent, nodes: Mapping[int, Node], node_id: int) -> dict[str, Any]:
    return {
        "packet_filter_rules": _plain(list(compiled.filter_rules(node_id))),
        "ssh_rules": _plain(compiled.ssh_policy(node_id))["rules"],
        "peers": {
            nodes[peer].given_name: {
                "allowed_ips": list(compiled.allowed_ips(node_id, peer)),
                "primary_routes": list(compiled.primary_routes(node_id, peer)),
            }
            for peer in map(compiled.node_at, ones(compiled.visible(node_id)))
        },
        "cap_map": {name: list(values) if values else None for name, values in compiled.self_cap_map(node_id).items()},
    }


def _plain(value: Any) -> Any:
    return msgspec.json.decode(tailcfg.encode(value))
