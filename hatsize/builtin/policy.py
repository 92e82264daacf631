"""The built-in policy engine: HuJSON documents in the hosted service's language, compiled by `hatsize.policy`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from hatsize.hooks import hookimpl
from hatsize.hooks.policy import CompiledPolicy, PolicyEngine
from hatsize.policy.compile import compile_policy
from hatsize.policy.compiled import Compiled
from hatsize.policy.document import Document
from hatsize.policy.members import with_users
from hatsize.policy.preview import load
from hatsize.policy.read import read_document
from hatsize.policy.revise import revise
from hatsize.policy.topology import Topology
from hatsize.policy.update import update
from hatsize.tailnet.model import Node, Service, User
from hatsize.tailnet.state import State

EVERYBODY = "{}"
"""The policy of a tailnet that has none: everybody may reach everybody."""


class HuJSONEngine:
    """Reads policies, and compiles them with the state's own ordinals."""

    name = "hujson"

    def check(self, document: str, state: State) -> Sequence[str]:
        compiled = load(document, topology_of(state))
        return [str(warning) for warning in compiled.document.warnings]

    def compile(self, document: str | None, state: State, online: frozenset[int] | None = None) -> CompiledPolicy:
        return compile_policy(_read(document), topology_of(state, online), state.ordinals)

    def update(self, compiled: CompiledPolicy, state: State, nodes: Sequence[int]) -> tuple[CompiledPolicy, int]:
        former = cast("Compiled", compiled)
        return update(former, _later(former, state), nodes)

    def revise(
        self, compiled: CompiledPolicy, document: str | None, state: State, nodes: Sequence[int]
    ) -> tuple[CompiledPolicy, int] | None:
        former = cast("Compiled", compiled)
        found = revise(former, _read(document))
        if found is None:
            return None
        revised, by_rules = found
        after, by_users = with_users(revised, _later(former, state), nodes)
        return after, (by_rules | by_users) & state.ordinals.all


def _later(former: Compiled, state: State) -> Topology:
    """The tailnet as it is now, with the routers as they were."""
    return replace(topology_of(state, former.topology.online), primaries=former.topology.primaries)


@lru_cache(maxsize=2)
def _read(document: str | None) -> Document:
    return read_document(document or EVERYBODY)


def topology_of(state: State, online: frozenset[int] | None = None) -> Topology:
    """The tailnet as policies see it. The mappings are copies, for the state goes on."""
    return Topology(
        users=dict(state.table(User)),
        nodes=dict(state.table(Node)),
        services={service.name: service for service in state.all(Service)},
        display_name=state.tailnet.display_name or state.tailnet.name,
        online=online,
    )


class Plugin:
    """Registers the engine."""

    @hookimpl
    def hatsize_register_policy_engine(self) -> PolicyEngine:
        return HuJSONEngine()
