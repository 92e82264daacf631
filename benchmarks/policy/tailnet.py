"""A big tailnet and its policy, the same at every run."""

import json
import random
from datetime import UTC, datetime

from hatsize.policy import Topology
from hatsize.tailnet.model import Node, Role, User
from hatsize.wire.keys import ZERO_DISCO_KEY, ZERO_MACHINE_KEY, ZERO_NODE_KEY
from hatsize.wire.tailcfg import Hostinfo

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
PORTS = ("22", "80,443", "5432", "8000-8100", "*")


class Shape:
    """How big: nodes, users, tags, rules."""

    def __init__(self, nodes: int = 5000, users: int = 500, tags: int = 100, rules: int = 500, seed: int = 7) -> None:
        self.nodes, self.users, self.tags, self.rules = nodes, users, tags, rules
        self.random = random.Random(seed)

    def topology(self) -> Topology:
        users = {number: user(number) for number in range(1, self.users + 1)}
        return Topology(users=users, nodes={number: self.node(number) for number in range(1, self.nodes + 1)})

    def node(self, number: int) -> Node:
        """Three in ten carry one or two tags, one in a hundred routes a network, the others belong to users."""
        roll = self.random.random()
        tags = tuple(sorted({f"tag:t{self.random.randrange(self.tags)}" for _ in range(2)})) if roll < 0.3 else ()
        routes = (f"10.{number % 200}.0.0/16",) if self.random.random() < 0.01 else ()
        return Node(
            id=number,
            stable_id=f"n{number}",
            machine_key=ZERO_MACHINE_KEY,
            node_key=ZERO_NODE_KEY,
            disco_key=ZERO_DISCO_KEY,
            given_name=f"node-{number}",
            user_id=None if tags else self.random.randrange(1, self.users + 1),
            tags=tags,
            ipv4=f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}",
            ipv6=f"fd7a:115c:a1e0::{number >> 16:x}:{number & 0xFFFF:x}",
            hostinfo=Hostinfo(OS="linux", RoutableIPs=routes),
            approved_routes=routes,
            created=CREATED,
        )

    def policy(self) -> str:
        groups = {
            f"group:g{number}": [f"u{self.random.randrange(1, self.users + 1)}@example.com" for _ in range(20)]
            for number in range(50)
        }
        return json.dumps(
            {
                "groups": groups,
                "hosts": {f"host{number}": f"10.{number}.1.0/24" for number in range(100)},
                "tagOwners": {f"tag:t{number}": [] for number in range(self.tags)},
                "acls": [self.rule() for _ in range(self.rules)],
                "ssh": [
                    {"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]},
                    {"action": "accept", "src": ["group:g1"], "dst": ["tag:t1", "tag:t2"], "users": ["ubuntu"]},
                ],
            }
        )

    def rule(self) -> dict[str, object]:
        pick = self.random.choice
        who = [
            lambda: f"group:g{self.random.randrange(50)}",
            lambda: f"tag:t{self.random.randrange(self.tags)}",
            lambda: f"u{self.random.randrange(1, self.users + 1)}@example.com",
        ]
        where = [*who[:2], lambda: f"host{self.random.randrange(100)}"]
        src = [pick(who)() for _ in range(pick((1, 1, 2, 3)))]
        if self.random.random() < 0.02:
            src = ["autogroup:member"]
        dst = [f"{pick(where)()}:{pick(PORTS)}" for _ in range(pick((1, 1, 2, 3)))]
        if self.random.random() < 0.02:
            src, dst = ["autogroup:member"], ["autogroup:self:*"]
        return {"action": "accept", "src": src, "dst": dst}


def user(number: int) -> User:
    role = Role.OWNER if number == 1 else Role.MEMBER
    return User(id=number, name=f"u{number}", email=f"u{number}@example.com", role=role, created=CREATED)
