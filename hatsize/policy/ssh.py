"""The SSH rules of one node. All `check` rules come before the `accept` rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hatsize.policy.classes import NodeClass
from hatsize.policy.document import Document, SSHRule
from hatsize.policy.literals import Literals
from hatsize.policy.matching import Side, ones, side
from hatsize.policy.population import Population
from hatsize.policy.read_ssh import LOCALPART
from hatsize.policy.topology import Topology
from hatsize.wire import tailcfg

NONROOT = "autogroup:nonroot"
HOLD_URL = "https://unused/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID?local_user=$LOCAL_USER"
"""Where the client asks what becomes of a session to be checked; it fills in the variables and ignores the host."""
_ACCEPT = tailcfg.SSHAction(
    Accept=True, AllowAgentForwarding=True, AllowLocalPortForwarding=True, AllowRemotePortForwarding=True
)
RECORDER_PORT = 80


@dataclass(frozen=True, slots=True)
class SSHCheck:
    """A rule that holds SSH sessions until somebody approves them."""

    accept: tailcfg.SSHAction
    """What an approved session is told."""
    period: timedelta | None
    """For how long an approval holds; None asks every time."""


@dataclass(frozen=True, eq=False)
class SSHEdge:
    rule: SSHRule
    src: Side
    dst: Side
    postures: int

    def is_source(self, found: NodeClass) -> bool:
        return not self.src.names.isdisjoint(found.names) and (
            not self.postures or bool(self.postures & found.postures)
        )

    def is_destination(self, found: NodeClass) -> bool:
        """Whether nodes of the class may be connected to, not as `autogroup:self`."""
        return not self.dst.names.isdisjoint(found.names)

    @property
    def by_localpart(self) -> bool:
        return any(user.startswith(LOCALPART) for user in self.rule.users)


def ssh_edges(document: Document, literals: Literals) -> tuple[SSHEdge, ...]:
    """The rules in the order in which clients try them."""
    positions = {name: index for index, name in enumerate(document.postures)}
    ordered = sorted(document.ssh, key=lambda rule: not rule.check)
    return tuple(
        SSHEdge(
            rule,
            side(rule.src, literals),
            side(rule.dst, literals),
            sum(1 << positions[name] for name in set(rule.postures)),
        )
        for rule in ordered
    )


@dataclass
class SSHRules:
    population: Population
    topology: Topology
    edges: Sequence[SSHEdge]
    known: dict[int, tailcfg.SSHPolicy] = field(default_factory=dict)
    destinations: dict[SSHEdge, tuple[int, int]] = field(default_factory=dict)
    """By rule how many classes were looked at, and the bitset of those that are destinations."""

    def policy(self, node_id: int) -> tailcfg.SSHPolicy:
        """The rules for sessions into the node; the same for all nodes of its class."""
        number = self.population.facts[node_id].number
        found = self.known.get(number)
        if found is None:
            own = self.population.classes[number]
            rules = tuple(rule for edge in self.edges for rule in self._rules(edge, own))
            found = self.known[number] = tailcfg.SSHPolicy(Rules=rules)
        return found

    def check(self, source_id: int, target_id: int, account: str) -> SSHCheck | None:
        """The first rule that holds a session into an account of the target."""
        facts = self.population.facts
        if source_id not in facts or target_id not in facts:
            return None
        source, own = facts[source_id].number, self.population.class_of(target_id)
        user = self.topology.user_of(facts[source_id].node)
        for edge in self.edges:
            if not edge.rule.check or not self._sources(edge, own) >> source & 1:
                continue
            accounts = mapping(edge.rule.users)
            local = localparts(edge.rule.users, user.login_name) if user else []
            if accounts.get(account, accounts.get("*", "")) or account in local:
                rule = edge.rule
                accept = recorded(_ACCEPT, self.recorders(rule), enforce=rule.enforce_recorder)
                return SSHCheck(accept, rule.check_period)
        return None

    def told_of(self, edge: SSHEdge, source: NodeClass) -> int:
        """The classes that are sent a rule because nodes of the class are a source of it, as a bitset."""
        if not edge.is_source(source):
            return 0
        devices = self.population.own_devices(source.number)
        found = self._destinations(edge) | (devices if edge.dst.own else 0)
        return found | (devices or 1 << source.number) if edge.by_localpart else found

    def _destinations(self, edge: SSHEdge) -> int:
        """The classes that may be connected to under a rule."""
        classes = self.population.classes
        seen, found = self.destinations.get(edge, (0, 0))
        for number in range(seen, len(classes)):
            if edge.is_destination(classes[number]):
                found |= 1 << number
        self.destinations[edge] = len(classes), found
        return found

    def _rules(self, edge: SSHEdge, own: NodeClass) -> Iterator[tailcfg.SSHRule]:
        sources = self._sources(edge, own)
        if not edge.by_localpart:
            if sources:
                yield self._rule(edge, sources, mapping(edge.rule.users))
            return
        for login, classes in self._by_owner(sources):
            yield self._rule(edge, classes, mapping(edge.rule.users))
            local = localparts(edge.rule.users, login)
            if local:
                yield self._rule(edge, classes, {name: name for name in local})

    def _sources(self, edge: SSHEdge, own: NodeClass) -> int:
        """The classes that may connect to nodes of this one."""
        everyone = self._classes(edge)
        devices = self.population.own_devices(own.number)
        found = everyone if edge.is_destination(own) else 0
        if edge.dst.own:
            found |= everyone & devices
        if edge.by_localpart and edge.is_source(own):
            found |= everyone & (devices or 1 << own.number)  # as captured: sources get their own rules too
        return found

    def _classes(self, edge: SSHEdge) -> int:
        return sum(1 << own.number for own in self.population.classes if own.nodes and edge.is_source(own))

    def _by_owner(self, classes: int) -> list[tuple[str, int]]:
        """The classes by whose they are: each user's in the order of the users' ids, then all tagged ones."""
        owners: dict[int, int] = {}
        tagged = 0
        for number in ones(classes):
            own = self.population.classes[number]
            if own.user_id is None:
                tagged |= 1 << number
            else:
                owners[own.user_id] = owners.get(own.user_id, 0) | 1 << number
        users = self.topology.users
        found = [(users[owner].login_name if owner in users else "", owners[owner]) for owner in sorted(owners)]
        return [*found, ("", tagged)] if tagged else found

    def _rule(self, edge: SSHEdge, classes: int, users: dict[str, str]) -> tailcfg.SSHRule:
        addresses = sorted(set(self.population.addresses(self.population.nodes(classes))), key=_four_first)
        return tailcfg.SSHRule(
            Principals=tuple(tailcfg.SSHPrincipal(NodeIP=address) for address in addresses),
            SSHUsers=users,
            Action=self._action(edge.rule),
            AcceptEnv=edge.rule.accept_env,
        )

    def _action(self, rule: SSHRule) -> tailcfg.SSHAction:
        action = tailcfg.SSHAction(HoldAndDelegate=HOLD_URL) if rule.check else _ACCEPT
        return recorded(action, self.recorders(rule), enforce=rule.enforce_recorder) if rule.recorders else action

    def recorders(self, rule: SSHRule) -> tuple[str, ...]:
        """Where sessions under the rule are recorded: address and port of each node with one of the tags."""
        tags = set(rule.recorders)
        nodes = self.population.nodes(sum(1 << own.number for own in self.population.classes if tags & own.tags))
        return tuple(
            f"[{address}]:{RECORDER_PORT}" if ":" in address else f"{address}:{RECORDER_PORT}"
            for address in self.population.addresses(nodes)
        )


def recorded(action: tailcfg.SSHAction, recorders: tuple[str, ...], *, enforce: bool) -> tailcfg.SSHAction:
    """The action with recording; enforced, a session that cannot be recorded is refused or ended."""
    failure = tailcfg.SSHRecorderFailureAction(
        RejectSessionWithMessage="this session must be recorded, and no recorder can be reached",
        TerminateSessionWithMessage="the recording of this session failed",
    )
    return tailcfg.SSHAction(
        Accept=action.Accept,
        HoldAndDelegate=action.HoldAndDelegate,
        AllowAgentForwarding=action.AllowAgentForwarding,
        AllowLocalPortForwarding=action.AllowLocalPortForwarding,
        AllowRemotePortForwarding=action.AllowRemotePortForwarding,
        Recorders=recorders,
        OnRecordingFailure=failure if enforce else None,
    )


def mapping(users: Sequence[str]) -> dict[str, str]:
    """Which account each wanted one becomes: `=` the same, empty none. Root only where it is named."""
    found = {"root": "root" if "root" in users else ""}
    for user in users:
        if user == NONROOT:
            found["*"] = "="
        elif not user.startswith(LOCALPART):
            found[user] = user
    return found


def localparts(users: Sequence[str], login: str) -> list[str]:
    """The accounts named like the user's address at one of the domains."""
    local, _, domain = login.rpartition("@")
    return list(dict.fromkeys(local for user in users if local and user == LOCALPART + domain))


def _four_first(address: str) -> tuple[bool, str]:
    return ":" in address, address
