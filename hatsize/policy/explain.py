"""Why a packet gets through, or why it does not: the rule and the line."""

from collections.abc import Iterator
from dataclasses import dataclass

from hatsize.policy.actors import Actor, actors, is_source, lets
from hatsize.policy.compiled import Compiled
from hatsize.policy.document import Flow
from hatsize.policy.ports import PROTOCOLS, Ports
from hatsize.policy.trials import reaching


@dataclass(frozen=True)
class Reason:
    """One rule that lets it through."""

    src: str
    dst: str
    path: str
    """As `acls[2]`; `default` where the policy has neither acls nor grants."""
    line: int
    """Where the rule stands in the document; 0 for the default."""
    opens: str
    """What the rule opens, as `tag:server:22,443 tcp`."""


@dataclass(frozen=True)
class Explanation:
    """The answer for all parties that the two names stand for: `allowed` if every pair of them gets through."""

    allowed: bool
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    """Why pairs of parties do not get through, one sentence each."""


def explain(compiled: Compiled, src: str, dst: str, port: int = 443, protocol: int = PROTOCOLS["tcp"]) -> Explanation:
    """Which rules let `src` reach `dst`. The names are those of nodes, users, tags, groups, hosts, or addresses.

    Raises UnknownActorError for a name that is nothing.
    """
    reasons: list[Reason] = []
    missing: list[str] = []
    for one in actors(compiled, src):
        for other in actors(compiled, dst):
            found = list(_reasons(compiled, one, other, port, protocol))
            reasons += found
            if not found:
                missing.append(_why_not(compiled, one, other, port, protocol))
    return Explanation(not missing, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(missing)))


def _reasons(compiled: Compiled, src: Actor, dst: Actor, port: int, protocol: int) -> Iterator[Reason]:
    for number, flow in reaching(compiled, src, dst, port, protocol):
        rule = compiled.matches.edges[number].rule
        yield Reason(src.label, dst.label, rule.path, rule.line, flow_text(flow))


def _why_not(compiled: Compiled, src: Actor, dst: Actor, port: int, protocol: int) -> str:
    pair = f"{src.label} to {dst.label}"
    opened = dict.fromkeys(
        f"{edge.rule.path}, line {edge.rule.line}: {flow_text(flow)}"
        for edge in compiled.matches.edges
        for flow in lets(compiled, edge, src, dst)
    )
    if opened:
        return f"{pair}: no rule opens port {port} for {protocol_name(protocol)}, only {'; '.join(opened)}"
    if not any(is_source(compiled, edge, src) for edge in compiled.matches.edges):
        return f"{pair}: no rule has {src.label} as a source"
    return f"{pair}: no rule with {src.label} as a source has {dst.label} as a destination"


def flow_text(flow: Flow) -> str:
    """A flow as a person would write it."""
    ports = ",".join(_ports_text(part) for part in flow.ports)
    protocols = " ".join(protocol_name(one) for one in flow.protocols)
    return f"{flow.dst}:{ports}{' ' if protocols else ''}{protocols}"


def _ports_text(ports: Ports) -> str:
    if ports == Ports():
        return "*"
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"


def protocol_name(protocol: int) -> str:
    return next((name for name, number in PROTOCOLS.items() if number == protocol), f"protocol {protocol}")
