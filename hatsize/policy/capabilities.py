"""The capabilities a node is told of itself and of its peers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hatsize.policy.addresses import is_exit
from hatsize.policy.classes import NodeClass
from hatsize.policy.directory import folded
from hatsize.policy.document import Document, NodeAttr
from hatsize.policy.population import Population
from hatsize.policy.selectors import Selector
from hatsize.policy.topology import Topology
from hatsize.tailnet.model import Role

CapMap = Mapping[str, Sequence[Any] | None]

_URL = "https://tailscale.com/cap/"
EVERY_NODE = (
    f"{_URL}file-sharing", f"{_URL}ssh", f"{_URL}tailnet-lock", "probe-udp-lifetime", "ssh-behavior-v1", "ssh-env-vars",
    "store-appc-routes",
)  # fmt: skip
IS_OWNER, IS_ADMIN = f"{_URL}is-owner", f"{_URL}is-admin"
FUNNEL = "funnel"
FUNNEL_PORTS = f"{_URL}funnel-ports?ports=443,8443,10000"
NO_HTTPS = f"{_URL}warn-funnel-no-https"
SUGGEST_EXIT, SUBDOMAINS = "suggest-exit-node", "dns-subdomain-resolve"


@dataclass
class Capabilities:
    document: Document
    topology: Topology
    population: Population
    known: dict[int, CapMap] = field(default_factory=dict)
    targets: list[tuple[frozenset[Selector], NodeAttr]] = field(default_factory=list)
    suggests_all: bool = True
    """Whether every exit node is suggested, as where the policy names none. Apple's clients since 1.102 list only
    suggested ones, and show no exit nodes where there are none."""

    def __post_init__(self) -> None:
        self.targets = [(frozenset(map(folded, entry.target)), entry) for entry in self.document.node_attrs]
        self.suggests_all = not any(SUGGEST_EXIT in entry.attrs for entry in self.document.node_attrs)

    def of_self(self, node_id: int) -> CapMap:
        """The node's own; a value of None says no more than that it is there."""
        number = self.population.facts[node_id].number
        found = self.known.get(number)
        if found is None:
            found = self.known[number] = self._work_out(self.population.classes[number])
        return found

    def of_peer(self, node_id: int, shown: Sequence[str]) -> CapMap:
        """What a peer with those of its routes is said to have."""
        own = self.of_self(node_id)
        found: dict[str, Sequence[Any] | None] = {}
        if (self.suggests_all or SUGGEST_EXIT in own) and any(is_exit(route) for route in shown):
            found[SUGGEST_EXIT] = None
        if SUBDOMAINS in own:
            found[SUBDOMAINS] = None
        return found

    def attributes(self, own: NodeClass) -> list[NodeAttr]:
        """The entries of `nodeAttrs` that speak of a class."""
        return [entry for names, entry in self.targets if not names.isdisjoint(own.names)]

    def _work_out(self, own: NodeClass) -> CapMap:
        found: dict[str, Sequence[Any] | None] = dict.fromkeys(EVERY_NODE)
        found["tailnet-display-name"] = [self.topology.display_name]
        found["default-auto-update"] = [self.topology.auto_updates]
        found.update(dict.fromkeys(self._ranks(own)))
        found.update(dict.fromkeys(self._switches()))
        if self.document.disable_ipv4:
            found["disable-ipv4"] = None
        for entry in self.attributes(own):
            for attr in entry.attrs:
                found.setdefault(attr)
            for name, values in entry.app.items():
                found[name] = [*(found.get(name) or ()), *values]
        if FUNNEL in found:
            found[FUNNEL_PORTS] = None
            if not self.topology.https:
                found[NO_HTTPS] = None
        if self.topology.https:
            found["https"] = None
        return found

    def _ranks(self, own: NodeClass) -> list[str]:
        """Tagged nodes count as the owner's, though not as an administrator's."""
        if own.tags:
            return [IS_OWNER]
        user = self.topology.users.get(own.user_id or 0)
        role = user.role if user and not own.shared else Role.MEMBER
        return {Role.OWNER: [IS_OWNER, IS_ADMIN], Role.ADMIN: [IS_ADMIN]}.get(role, [])

    def _switches(self) -> list[str]:
        """What the top level of the document says for all."""
        found = ["randomize-client-port"] if self.document.randomize_client_port else []
        route = {"mac-always": "true", "mac-never": "false"}.get(self.document.one_cgnat_route)
        return [*found, f"one-cgnat?v={route}"] if route else found
