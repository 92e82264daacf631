"""A small tailnet that the tests of the policy language share."""

import json
from types import SimpleNamespace

import pytest

from hatsize.policy import from_golden
from hatsize.policy.preview import load

USERS = [
    {"name": "ann", "email": "ann@x.io", "role": "owner"},
    {"name": "bob", "email": "bob@x.io", "role": "member", "groups": ["group:synced@x.io"]},
    {"name": "cyd", "email": "", "role": "auditor"},
]


def node(number, **more):
    return {"ipv4": f"100.64.0.{number}", "ipv6": f"fd7a:115c:a1e0::{number}", "tags": [], **more}


def router(number, tag, *routes):
    return node(number, tags=[tag], routable_ips=list(routes), approved_routes=list(routes))


NODES = {
    "ann-1": node(1, user="ann"),
    "ann-2": node(2, user="ann", attributes={"custom:tier": 3}),
    "bob-1": node(3, user="bob"),
    "cyd-1": node(4, user="cyd"),
    "web": node(5, tags=["tag:web"]),
    "db": node(6, tags=["tag:db", "tag:prod"]),
    "gate": router(7, "tag:gate", "10.1.0.0/16"),
    "spare": router(8, "tag:spare", "10.1.0.0/16"),
    "exit": router(9, "tag:exit", "0.0.0.0/0", "::/0"),
}
TAG_OWNERS = {f"tag:{name}": ["ann@x.io"] for name in ("web", "db", "prod", "gate", "spare", "exit", "idle")}


class Tailnet:
    """A policy compiled for the small tailnet, asked by the nodes' names."""

    def __init__(self, policy, nodes=NODES, **tailnet):
        text = policy if isinstance(policy, str) else json.dumps({"tagOwners": TAG_OWNERS, **policy})
        data = {"tailnet": "ann@x.io", "users": USERS, "nodes": nodes, **tailnet}
        self.compiled = load(text, from_golden(data))
        self.ids = {one.given_name: one.id for one in self.compiled.topology.nodes.values()}

    def filter(self, name):
        """The filter as short texts: `sources > destinations protocols`, addresses of nodes by name."""
        return sorted(
            f"{self._names(rule.SrcIPs)} > {self._opened(rule)}{''.join(f' {one}' for one in rule.IPProto)}"
            for rule in self.compiled.filter_rules(self.ids[name])
        )

    def _opened(self, rule):
        ports = dict.fromkeys(f"{self._name(to.IP)}:{_ports(to.Ports)}" for to in rule.DstPorts)
        grants = [f"{self._names(grant.Dsts)} {json.dumps(grant.CapMap)}" for grant in rule.CapGrant]
        return " ".join([*ports, *grants])

    def _names(self, texts):
        return ",".join(dict.fromkeys(self._name(text) for text in texts))

    def _name(self, text):
        bare = text.removesuffix("/32").removesuffix("/128")
        return next((one.given_name for one in self.compiled.topology.nodes.values() if bare in one.addresses), text)

    def sees(self, name):
        seen = self.compiled.visible(self.ids[name])
        return {other for other, number in self.ids.items() if seen >> self.compiled.index_of(number) & 1}

    def routes(self, viewer, peer):
        """The routes a viewer has to a peer, its own addresses aside."""
        return list(self.compiled.allowed_ips(self.ids[viewer], self.ids[peer])[2:])

    def caps(self, name):
        return self.compiled.self_cap_map(self.ids[name])

    def ssh(self, name):
        return [
            (
                "accept" if rule.Action.Accept else "check",
                ",".join(dict.fromkeys(self._name(one.NodeIP) for one in rule.Principals)),
                dict(rule.SSHUsers),
            )
            for rule in self.compiled.ssh_policy(self.ids[name]).Rules
        ]


def _ports(ports):
    if (ports.First, ports.Last) == (0, 65535):
        return "*"
    return str(ports.First) if ports.First == ports.Last else f"{ports.First}-{ports.Last}"


@pytest.fixture
def tailnet():
    return Tailnet


@pytest.fixture
def small():
    return SimpleNamespace(nodes=NODES, users=USERS, tag_owners=TAG_OWNERS, node=node, router=router)
