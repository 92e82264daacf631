"""Runs the tests that a policy carries, `tests` and `sshTests`. A policy whose tests fail is not taken."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hatsize.policy.actors import Actor, UnknownActorError, actors, lets, meets
from hatsize.policy.compiled import Compiled
from hatsize.policy.document import AccessTest, Flow, SSHTest
from hatsize.policy.errors import PolicyError
from hatsize.policy.literals import resolve
from hatsize.policy.ports import DEFAULT, PROTOCOLS, WITH_PORTS, read_ports
from hatsize.policy.read_rules import split_target
from hatsize.policy.selectors import Kind, read_selector
from hatsize.policy.ssh import SSHEdge, localparts, mapping

TCP = PROTOCOLS["tcp"]
_SINGLE = frozenset({Kind.USER, Kind.TAG, Kind.HOST, Kind.ADDRESS, Kind.SERVICE})


def run_tests(compiled: Compiled) -> None:
    """Run all of them. Raises PolicyError with what failed, by source, as `data`."""
    failures: list[dict[str, Any]] = []
    trials: list[tuple[AccessTest | SSHTest, Callable[[], Iterator[str]]]] = [
        *((test, lambda test=test: _access(compiled, test)) for test in compiled.document.tests),
        *((test, lambda test=test: _ssh(compiled, test)) for test in compiled.document.ssh_tests),
    ]
    for test, trial in trials:
        try:
            errors = list(trial())
        except UnknownActorError as error:
            errors = [str(error)]
        if errors:
            failures.append({"user": test.src, "errors": errors})
    if failures:
        raise PolicyError("test(s) failed", data=failures)


def _sources(compiled: Compiled, test: AccessTest | SSHTest) -> list[Actor]:
    if not test.src:
        raise UnknownActorError("src must be specified")
    found = actors(compiled, test.src)
    return [replace(one, attributes=test.attributes) for one in found] if test.attributes else found


def _access(compiled: Compiled, test: AccessTest) -> Iterator[str]:
    sources = _sources(compiled, test)
    if not (test.accept or test.deny):
        yield "accept or deny must be specified"
    for want, addresses in (("Accept", test.accept), ("Drop", test.deny)):
        for address in addresses:
            targets, port = _target(compiled, address, test.protocol or TCP)
            for src in sources:
                for dst in targets:
                    got = "Accept" if reaching(compiled, src, dst, port, test.protocol or TCP) else "Drop"
                    if got != want:
                        yield f'address "{address}": want: {want}, got: {got}'


def _target(compiled: Compiled, address: str, protocol: int) -> tuple[list[Actor], int]:
    """The destinations and the one port of a test's address."""
    try:
        name, port_text = split_target(address)
        if protocol not in WITH_PORTS and port_text == "0":
            return _destinations(compiled, name), 0
        ports = read_ports(port_text)
    except UnknownActorError:
        raise
    except ValueError as error:
        raise UnknownActorError(f'address "{address}": {error}') from None
    if len(ports) != 1 or ports[0].first != ports[0].last:
        raise UnknownActorError(f'address "{address}": a test needs one port')
    return _destinations(compiled, name), ports[0].first


def _destinations(compiled: Compiled, name: str) -> list[Actor]:
    selector = read_selector(name)
    if selector.kind not in _SINGLE:
        raise UnknownActorError(f'"{name}" cannot be the destination of a test')
    if selector.kind is Kind.SERVICE:
        texts = resolve(selector, compiled.document, compiled.topology).texts
        return [one for text in texts for one in actors(compiled, text)]
    return actors(compiled, selector.name)


def reaching(compiled: Compiled, src: Actor, dst: Actor, port: int, protocol: int) -> list[tuple[int, Flow]]:
    """The rules, by number, and their flows that let a packet through."""
    return [
        (edge.number, flow)
        for edge in compiled.matches.edges
        for flow in lets(compiled, edge, src, dst)
        if protocol in (flow.protocols or DEFAULT)
        and (protocol not in WITH_PORTS or any(port in ports for ports in flow.ports))
    ]


def _ssh(compiled: Compiled, test: SSHTest) -> Iterator[str]:
    if not (test.accept or test.check or test.deny):
        yield "accept, check or deny must be specified"
    sources = _sources(compiled, test)
    for src in sources:
        for name in test.dst:
            targets = [src] if name == "autogroup:self" else actors(compiled, name)
            for dst in targets:
                yield from _session(compiled, test, src, dst)


def _session(compiled: Compiled, test: SSHTest, src: Actor, dst: Actor) -> Iterator[str]:
    for want, users in (("accept", test.accept), ("check", test.check), ("deny", test.deny)):
        for user in users:
            got = session(compiled, src, dst, user)
            if not user or got != want:
                yield f'user "{user}" on "{dst.label}": want: {want}, got: {got}'


def session(compiled: Compiled, src: Actor, dst: Actor, user: str) -> str:
    """What becomes of a session: `accept`, `check` or `deny`. The first rule that maps the user decides."""
    for edge in compiled.ssh.edges:
        if meets(compiled, edge.rule.postures, src) and _speaks_of(edge, src, dst) and _account(edge, src, user):
            return "check" if edge.rule.check else "accept"
    return "deny"


def _speaks_of(edge: SSHEdge, src: Actor, dst: Actor) -> bool:
    if edge.src.names.isdisjoint(src.names):
        return False
    same_user = dst.user_id is not None and dst.user_id == src.user_id
    return not edge.dst.names.isdisjoint(dst.names) or ((edge.dst.own or edge.by_localpart) and same_user)


def _account(edge: SSHEdge, src: Actor, user: str) -> str:
    table = mapping(edge.rule.users)
    login = next((name.name for name in src.names if name.kind is Kind.USER), "")
    table |= {name: name for name in localparts(edge.rule.users, login)}
    return table.get(user, table.get("*", ""))
