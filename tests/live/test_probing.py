"""Routers that stand in for each other are probed, and a silent one is replaced."""

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from hatsize.live.probing import Prober
from hatsize.tailnet.commands.nodes_routes import approve_routes
from hatsize.tailnet.model import Node
from hatsize.testing.client import FakeClient

pytestmark = pytest.mark.anyio
LAN, OTHER, EXIT = "192.168.7.0/24", "192.168.8.0/24", "0.0.0.0/0"


class Lab:
    """A tailnet of routers, some of which are silent when probed."""

    def __init__(self, tailnet):
        self.tailnet = tailnet
        self.silent = set()
        self.asked = []
        self.prober = Prober(tailnet.live, self.ping)

    async def ping(self, node_id, within):
        self.asked.append(self.name(node_id))
        return self.name(node_id) not in self.silent

    def name(self, node_id):
        return next(node.given_name for node in self.tailnet.state.all(Node) if node.id == node_id)

    async def add(self, name, *routes, online=True):
        client = FakeClient.direct(self.tailnet.app, hostname=name)
        client.hostinfo = client.hostinfo.__class__(Hostname=name, OS="linux", RoutableIPs=routes)
        await client.register(await self.tailnet.auth_key())
        node_id = self.tailnet.node(name).id
        await self.tailnet.live.run(lambda state: approve_routes(state, node_id, list(routes), self.tailnet.clock()))
        if online:
            self.tailnet.live.came_online(node_id)

    async def round(self, *silent):
        """Probe once; who serves the LAN then."""
        self.silent, self.asked = set(silent), []
        await self.prober.round()
        return self.primary()

    def primary(self, route=LAN):
        return self.name(self.tailnet.live.policy.primaries()[route])


@pytest.fixture
async def lab(tailnet):
    made = Lab(tailnet)
    await made.add("one", LAN)
    await made.add("two", LAN)
    await made.add("three", LAN)
    return made


async def test_who_answers_keeps_its_routes(lab):
    assert await lab.round() == "one"
    assert sorted(lab.asked) == ["one", "three", "two"]


async def test_who_is_silent_is_replaced_at_once(lab):
    assert await lab.round("one") == "two"


async def test_who_answers_again_does_not_take_its_routes_back(lab):
    await lab.round("one")
    assert [await lab.round() for _ in range(3)] == ["two"] * 3
    assert await lab.round("two") == "one"


async def test_a_silent_router_goes_on_being_asked(lab):
    await lab.round("one")
    await lab.round("one")
    assert "one" in lab.asked


async def test_when_all_are_silent_nothing_moves(lab):
    assert await lab.round("one") == "two"
    assert await lab.round("one", "two", "three") == "two"
    assert await lab.round("one", "two") == "three"


async def test_a_new_stream_is_a_sign_of_life(lab):
    await lab.round("one", "two")
    lab.tailnet.live.came_online(lab.tailnet.node("one").id)
    assert await lab.round("two", "three") == "one"


async def test_whose_routes_nobody_else_serves_is_not_asked(tailnet):
    lab = Lab(tailnet)
    await lab.add("alone", LAN)
    await lab.add("other", OTHER)
    await lab.add("exit", EXIT, "::/0")
    await lab.add("exit-too", EXIT, "::/0")
    await lab.round()
    assert lab.asked == []


async def test_who_is_not_connected_is_not_asked(lab):
    await lab.add("far", LAN, online=False)
    await lab.round()
    assert "far" not in lab.asked


async def test_who_left_while_it_was_asked_is_not_judged(lab):
    one = lab.tailnet.node("one").id

    async def leaves(node_id, within):
        if node_id == one:
            lab.tailnet.live.went_offline(one)
        return node_id != one

    lab.prober._ping = leaves
    await lab.prober.round()
    lab.prober._ping = lab.ping
    lab.tailnet.live.came_online(one)
    assert await lab.round("two", "three") == "one"


async def test_rounds_follow_the_settings(lab):
    live = lab.tailnet.live
    live.terms = replace(live.terms, probe_interval=timedelta(milliseconds=20))
    with anyio.move_on_after(0.5):
        await lab.prober.run()
    assert len(lab.asked) > 6
    live.terms = replace(live.terms, probe_interval=timedelta())
    lab.asked.clear()
    with anyio.move_on_after(0.1):
        await lab.prober.run()
    assert lab.asked == []


async def test_another_policy_or_user_leaves_a_route_where_it_is(lab):
    assert await lab.round("one") == "two"
    assert await lab.round() == "two"
    await lab.tailnet.save_policy('{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}')
    assert lab.primary() == "two"
    await lab.tailnet.add_user("bob")
    assert lab.primary() == "two"
