"""Saving a policy and changing a user cost what they change, where the engine can go on from what it has compiled."""

import json

import pytest
from msgspec.structs import replace

from hatsize.builtin.policy import HuJSONEngine
from hatsize.tailnet.model import Change, Node, Role, User
from hatsize.testing.client import FakeClient
from hatsize.testing.tailnet import ScratchTailnet

pytestmark = pytest.mark.anyio


class Counted(HuJSONEngine):
    """Counts how often everything is compiled."""

    def __init__(self):
        self.compiled = 0

    def compile(self, document, state, online=None):
        self.compiled += 1
        return super().compile(document, state, online)


class Plain:
    """An engine that cannot go on from what it has compiled."""

    name = "plain"

    def __init__(self):
        self.engine = Counted()
        self.check, self.compile, self.update = self.engine.check, self.engine.compile, self.engine.update


def rules(*pairs, **more):
    return json.dumps({"acls": [{"action": "accept", "src": [s], "dst": [f"{d}:*"]} for s, d in pairs], **more})


async def two_owners(engine):
    """A tailnet in which alice and bob have a node each, of the same names."""
    tailnet = ScratchTailnet(policy=engine)
    bob = await tailnet.add_user("bob")
    for name, user in (("alice", None), ("bob", bob)):
        client = FakeClient.direct(tailnet.app, hostname=name)
        assert not (await client.register(await tailnet.auth_key(user))).Error
    await tailnet.save_policy(rules(("alice@", "alice@")))
    return tailnet


def sees(tailnet, one, other):
    policy = tailnet.live.policy
    return bool(policy.visible(tailnet.node(one).id) >> policy.index_of(tailnet.node(other).id) & 1)


async def change_user(tailnet, name, **fields):
    user = tailnet.state.get(User, tailnet.state.index.user_by_name[name])
    change = Change(tailnet=1, kind="user.updated", puts=(replace(user, **fields),), at=tailnet.clock())
    await tailnet.live.run(lambda _state: change)


async def test_other_rules_are_compiled_and_nothing_else():
    tailnet = await two_owners(engine := Counted())
    before = engine.compiled
    await tailnet.save_policy(rules(("alice@", "bob@")))
    assert sees(tailnet, "alice", "bob")
    await tailnet.save_policy(rules(("alice@", "alice@")))
    assert not sees(tailnet, "alice", "bob")
    assert engine.compiled == before


async def test_a_policy_whose_groups_differ_is_compiled_anew():
    tailnet = await two_owners(engine := Counted())
    before = engine.compiled
    await tailnet.save_policy(rules(("group:g", "group:g"), groups={"group:g": ["alice@", "bob@"]}))
    assert sees(tailnet, "alice", "bob")
    assert engine.compiled == before + 1


async def test_relays_of_the_policys_own_are_news():
    tailnet = await two_owners(Counted())
    relays = {"regions": {"901": {"regionId": 901, "nodes": [{"name": "a", "regionID": 901, "hostName": "a.example"}]}}}
    await tailnet.save_policy(rules(("alice@", "alice@"), derpMap=relays))
    assert tailnet.live.policy.derp_map is not None


async def test_who_gets_another_name_or_rank_is_somebody_else_to_the_rules():
    tailnet = await two_owners(engine := Counted())
    await tailnet.save_policy(rules(("carol@", "alice@"), ("autogroup:admin", "alice@")))
    before = engine.compiled
    assert not sees(tailnet, "bob", "alice")
    await change_user(tailnet, "bob", email="carol@")
    assert sees(tailnet, "bob", "alice")
    await change_user(tailnet, "bob", email="")
    assert not sees(tailnet, "bob", "alice")
    await change_user(tailnet, "bob", role=Role.ADMIN)
    assert sees(tailnet, "bob", "alice")
    assert "https://tailscale.com/cap/is-admin" in tailnet.live.policy.self_cap_map(tailnet.node("bob").id)
    assert engine.compiled == before


async def test_a_user_who_is_made_may_tag_at_once():
    tailnet = await two_owners(Counted())
    await tailnet.save_policy(rules(tagOwners={"tag:a": ["dora@"]}))
    dora = await tailnet.add_user("dora")
    assert tailnet.live.policy.may_tag(dora, "tag:a")


async def test_an_engine_that_cannot_go_on_compiles_anew():
    tailnet = await two_owners(plain := Plain())
    before = plain.engine.compiled
    await tailnet.save_policy(rules(("alice@", "bob@")))
    await change_user(tailnet, "bob", email="carol@")
    assert not sees(tailnet, "alice", "bob")
    assert plain.engine.compiled == before + 2


async def test_a_route_stays_with_its_router_when_somebody_joins():
    """Two serve it; the second was elected while the first was away, and goes on after that came back."""
    tailnet = await two_owners(Counted())
    await tailnet.save_policy("{}")
    for name in ("alice", "bob"):
        node = tailnet.node(name)
        told = replace(node.hostinfo, RoutableIPs=("10.0.0.0/24",))
        change = replace(node, hostinfo=told, approved_routes=("10.0.0.0/24",))
        await _put(tailnet, change)
        tailnet.live.came_online(node.id)
    tailnet.live.went_offline(tailnet.node("alice").id)
    tailnet.live.came_online(tailnet.node("alice").id)
    tailnet.live.elect(always=True)
    client = FakeClient.direct(tailnet.app, hostname="newcomer")
    await client.register(await tailnet.auth_key())
    assert tailnet.live.policy.primaries() == {"10.0.0.0/24": tailnet.node("bob").id}


async def _put(tailnet, node: Node):
    await tailnet.live.run(lambda _state: Change(tailnet=1, kind="node.updated", puts=(node,), at=tailnet.clock()))
