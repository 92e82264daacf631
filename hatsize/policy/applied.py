"""Which rules of a policy speak of somebody, or of an address and port, whoever is on the other side."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hatsize.policy.actors import actors, is_source, is_target
from hatsize.policy.compiled import Compiled
from hatsize.policy.explain import flow_text
from hatsize.policy.matching import Edge
from hatsize.policy.question import Question


@dataclass(frozen=True)
class AppliedRule:
    """One rule, both sides as they were written."""

    sources: tuple[str, ...]
    opens: tuple[str, ...]
    """Destinations with their ports, as `tag:server:22,443`."""
    line: int
    """Where the rule stands in the document; 0 for the default."""


def rules_from(compiled: Compiled, src: str) -> list[AppliedRule]:
    """The rules that have one of the parties of a name as a source. Raises UnknownActorError."""
    parties = actors(compiled, src)
    return _applied(compiled, lambda edge: any(is_source(compiled, edge, one) for one in parties))


def rules_to(compiled: Compiled, question: Question) -> list[AppliedRule]:
    """The rules that open the port of one of the destinations, by any protocol. Raises UnknownActorError."""
    parties = actors(compiled, question.dst)

    def opens(edge: Edge) -> bool:
        flows = (flow for flow in edge.rule.flows if any(question.port in ports for ports in flow.ports))
        return any(is_target(compiled, edge, flow.dst, one, one) for flow in flows for one in parties)

    return _applied(compiled, opens)


def _applied(compiled: Compiled, fits: Callable[[Edge], bool]) -> list[AppliedRule]:
    return [_rule(edge) for edge in compiled.matches.edges if fits(edge)]


def _rule(edge: Edge) -> AppliedRule:
    rule = edge.rule
    opens = dict.fromkeys(flow_text(replace(flow, protocols=())) for flow in rule.flows)
    return AppliedRule(tuple(map(str, rule.src)), tuple(opens), rule.line)
