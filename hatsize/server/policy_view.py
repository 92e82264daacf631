"""The policy of the live tailnet as the HTTP APIs see it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from anyio import to_thread

from hatsize.api.contract import PolicyDocument
from hatsize.hooks.policy import CompiledPolicy
from hatsize.live.tailnet import LiveTailnet
from hatsize.policy.actors import UnknownActorError
from hatsize.policy.applied import AppliedRule, rules_from, rules_to
from hatsize.policy.compiled import Compiled
from hatsize.policy.explain import Explanation, explain
from hatsize.policy.preview import sent
from hatsize.policy.question import Question
from hatsize.server.policy_file import PolicyFile
from hatsize.tailnet.commands.policy import policy_in_force
from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.model import RECORDS, Node
from hatsize.tailnet.state import State

Judgement = TypeVar("Judgement")
MAX_PAIRS = 500_000
"""Peers of nodes in one preview, about 100 MB of JSON."""


class PolicyView:
    """Implements `hatsize.api.contract.PolicyAccess`, by whichever engine the settings choose."""

    def __init__(self, live: LiveTailnet, file: PolicyFile | None) -> None:
        self._live = live
        self._file = file

    @property
    def read_only(self) -> str:
        if self._file is None:
            return ""
        return f"the policy is read from {self._file.path}: change that file, or take policy.file out of the settings"

    @property
    def problem(self) -> str:
        return self._file.problem if self._file else ""

    def current(self) -> PolicyDocument | None:
        found = policy_in_force(self._live.state)
        return PolicyDocument(found.document, found.created) if found else None

    def check(self, document: str, state: State) -> Sequence[str]:
        return self._live.services.policy.check(document, state)

    async def review(self, document: str) -> Sequence[str]:
        return await to_thread.run_sync(self._live.services.policy.check, document, _copied(self._live.state))

    async def preview(self, document: str | None, names: Sequence[str] = ()) -> Mapping[str, Any]:
        by_name = self._live.state.index.node_by_name
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise NotFoundError(f"there is no node {unknown[0]}: see `hatsize nodes list`")
        wanted = [by_name[name] for name in names]

        def previewed(compiled: CompiledPolicy, state: State) -> Mapping[str, Any]:
            nodes = state.table(Node)
            _check_size(compiled, wanted or nodes)
            return sent(compiled, nodes, wanted or nodes)

        return await self._judged(document, previewed)

    async def explain(self, document: str | None, src: str, question: Question) -> Explanation:
        return await self._reasoned(
            document, lambda compiled: explain(compiled, src, question.dst, question.port, question.protocol)
        )

    async def rules_from(self, document: str | None, src: str) -> Sequence[AppliedRule]:
        return await self._reasoned(document, lambda compiled: rules_from(compiled, src))

    async def rules_to(self, document: str | None, question: Question) -> Sequence[AppliedRule]:
        return await self._reasoned(document, lambda compiled: rules_to(compiled, question))

    async def _reasoned(self, document: str | None, reason: Callable[[Compiled], Judgement]) -> Judgement:
        """What the rules themselves say, which are those of the built-in engine alone."""
        engine = self._live.services.policy.name

        def reasoned(compiled: CompiledPolicy, state: State) -> Judgement:
            del state
            if not isinstance(compiled, Compiled):
                raise InvalidError(f"the policy engine {engine} gives no reasons: read its own documents")
            return reason(compiled)

        try:
            return await self._judged(document, reasoned)
        except UnknownActorError as error:
            raise InvalidError(str(error)) from None

    async def _judged(self, document: str | None, judge: Callable[[CompiledPolicy, State], Judgement]) -> Judgement:
        """What a thread makes of a document, or of the policy in force, compiled for the tailnet as it is."""
        live, state = self._live, _copied(self._live.state)
        online = frozenset(node_id for node_id in state.table(Node) if live.is_online(node_id))
        primaries = dict(live.policy.primaries())
        in_force = live.policy_document

        def judged() -> Judgement:
            engine = live.services.policy
            if document is not None:
                engine.check(document, state)
            compiled = engine.compile(in_force if document is None else document, state, online)
            return judge(compiled.with_routers(primaries, online), state)

        return await to_thread.run_sync(judged)

    def knows_tag(self, tag: str) -> bool:
        return self._live.policy.knows_tag(tag)

    def owns_tag(self, owners: Sequence[str], tag: str) -> bool:
        policy = self._live.policy
        return isinstance(policy, Compiled) and policy.approvals.may_tag(None, owners, tag)

    def serving(self, node_id: int) -> Sequence[str]:
        node = self._live.state.get(Node, node_id)
        primary = list(self._live.policy.primary_routes(node_id, node_id))
        exits = [route for route in node.approved_routes if route in ("0.0.0.0/0", "::/0")]
        return primary + [route for route in exits if route in node.advertised_routes]


def _check_size(compiled: CompiledPolicy, wanted: Iterable[int]) -> None:
    """Raise InvalidError when too many nodes would be shown to each other."""
    pairs = sum(compiled.visible(node_id).bit_count() for node_id in wanted)
    if pairs > MAX_PAIRS:
        raise InvalidError(f"that is too much to show at once, {pairs} peers of nodes: name some nodes, as with --node")


def _copied(state: State) -> State:
    """The state as it is, for another thread to read while this one goes on."""
    records = (record for kind in RECORDS for record in state.all(kind))
    return State.load(state.tailnet_id, state.seq, records, {})
