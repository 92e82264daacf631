"""Two processes on one storage: what one stores the other takes over, and who is connected to either is online."""

from datetime import timedelta

import anyio.lowlevel
import pytest
from msgspec.structs import replace as with_fields

from hatsize.live.alone import Alone
from hatsize.server import duties
from hatsize.tailnet.commands.nodes import delete_node, rename_node
from hatsize.tailnet.commands.nodes_routes import approve_routes
from hatsize.tailnet.commands.report import Report
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.model import Node, User
from hatsize.testing.client import FakeClient
from hatsize.testing.memory import MemoryStorage
from hatsize.testing.tailnet import START, ScratchTailnet

pytestmark = pytest.mark.anyio
LAN = "192.168.7.0/24"


class Follower(Alone):
    """Replication of a process that others follow; it notes what it is told."""

    def __init__(self):
        self.duties = set()
        self.told = []

    def is_ours(self, duty):
        return duty in self.duties

    def is_followed(self):
        return True

    def here(self, node_id, connected):
        self.told.append((node_id, connected))


class Pair:
    """Two replicas, `one` and `two`, with node 1, `desk`, which registered with `one`."""

    def __init__(self):
        self.storage = MemoryStorage()
        self.one, self.two = (self.made() for _ in range(2))

    def made(self):
        tailnet = ScratchTailnet(storage=self.storage)
        object.__setattr__(tailnet.services, "replication", Follower())
        return tailnet

    async def join(self, name="desk", *routes, **terms):
        client = FakeClient.direct(self.one.app, hostname=name)
        client.hostinfo = with_fields(client.hostinfo, RoutableIPs=routes)
        await client.register(await self.one.auth_key(**terms))
        await self.meet()
        return client

    async def meet(self):
        for tailnet in (self.one, self.two):
            await tailnet.live.catch_up(self.storage.wait(1, 0, 0))


@pytest.fixture
async def pair():
    made = Pair()
    await made.join()
    return made


def rename(name, node_id=1):
    return lambda state: rename_node(state, node_id, name, START)


def rows(tailnet):
    return {kind: dict(tailnet.state.table(kind)) for kind in (Node, User)}


async def test_what_one_stores_the_other_takes_over(pair):
    await pair.one.live.run(rename("lamp"))
    assert pair.two.node("desk")
    await pair.two.live.catch_up(pair.one.state.seq)
    assert rows(pair.two) == rows(pair.one)
    assert pair.two.state.seq == pair.one.state.seq


async def test_what_is_known_already_is_not_asked_for(pair):
    pair.storage.changes = None
    await pair.two.live.catch_up(pair.two.state.seq)


async def test_a_trimmed_log_means_everything_is_read_anew(pair):
    await pair.join("phone")
    two = pair.made()
    await pair.one.live.run(rename("lamp"))
    await pair.one.live.run(lambda state: create_user(state, "bob", START))
    await pair.one.live.run(delete_phone)
    pair.storage.trim(START + timedelta(days=1))
    await two.live.catch_up(pair.one.state.seq)
    assert rows(two) == rows(pair.one)
    await two.live.run(lambda state: create_user(state, "carol", START))
    await pair.meet()
    assert rows(two) == rows(pair.one)


def delete_phone(state):
    return delete_node(state, state.index.node_by_name["phone"], START)


async def test_clients_are_told_what_was_read_anew(pair):
    await pair.join("phone")
    client = FakeClient.direct(pair.two.app, hostname="tablet")
    await client.register(await pair.two.auth_key())
    stream = await client.poll()
    await stream.until(lambda netmap: netmap.peer_names == ["desk", "phone"])
    await pair.meet()
    await pair.one.live.run(rename("lamp"))
    pair.storage.trim(START + timedelta(days=1))
    await pair.two.live.catch_up(pair.one.state.seq)
    await stream.until(lambda netmap: netmap.peer_names == ["lamp", "phone"])


async def test_a_storage_that_has_gone_back_is_believed(pair):
    """As after a failover to a standby that did not have the last changes."""
    await pair.one.live.run(rename("lamp"))
    lost = pair.storage._log[1].pop()
    pair.storage._keep(with_fields(lost, puts=(with_fields(lost.puts[0], given_name="desk"),)))
    await pair.one.live.run(lambda state: create_user(state, "bob", START))
    assert pair.one.node("desk")
    await pair.meet()
    assert rows(pair.two) == rows(pair.one)


async def test_what_nodes_have_told_outlives_reading_anew(pair):
    told = with_fields(pair.two.node("desk"), endpoints=("192.0.2.7:41641",))
    pair.two.live.report(Report(told, durable=False))
    await pair.two.live.load_anew()
    await pair.two.live.flush()
    await pair.meet()
    assert pair.one.node("desk").endpoints == ("192.0.2.7:41641",)


async def test_who_is_connected_to_another_replica_is_online(pair):
    heard = []
    pair.two.live.attend(lambda node_id, online: heard.append((node_id, online)))
    seen = pair.two.node("desk").last_seen
    pair.two.live.attendance.be_elsewhere(frozenset({1}))
    assert pair.two.live.is_online(1)
    pair.two.live.attendance.be_elsewhere(frozenset())
    assert not pair.two.live.is_online(1)
    assert heard == [(1, True), (1, False)]
    assert pair.two.node("desk").last_seen == seen


async def test_who_moves_between_replicas_is_online_throughout(pair):
    heard = []
    live = pair.one.live
    live.attend(lambda node_id, online: heard.append((node_id, online)))
    live.came_online(1)
    live.attendance.be_elsewhere(frozenset({1}))
    live.went_offline(1)
    assert live.is_online(1)
    live.came_online(1)
    live.attendance.be_elsewhere(frozenset())
    assert live.is_online(1)
    assert heard == [(1, True)]
    assert live.services.replication.told == [(1, True), (1, False), (1, True)]


async def test_who_is_online_elsewhere_is_so_from_the_moment_it_is_known_here(pair):
    two = pair.made()
    heard = []
    two.live.attend(lambda node_id, online: heard.append((node_id, online)))
    two.live.attendance.be_elsewhere(frozenset({2}))
    await pair.join("phone")
    await two.live.catch_up(pair.one.state.seq)
    assert two.live.is_online(2)
    assert heard == [(2, True)]


async def add_routers(pair):
    """Nodes 2 and 3 serve the same route."""
    for number in (2, 3):
        await pair.join(f"router-{number}", LAN)
        await pair.one.live.run(lambda state, n=number: approve_routes(state, n, [LAN], START))
    await pair.meet()


async def test_a_route_stays_with_the_router_another_replica_has_found(pair):
    await add_routers(pair)
    assert pair.two.live.policy.primaries()[LAN] == 2
    pair.two.live.follow_routers({LAN: 3})
    assert pair.two.live.policy.primaries()[LAN] == 3
    pair.two.live.attendance.be_elsewhere(frozenset({2, 3}))
    pair.two.live.attendance.be_elsewhere(frozenset({2}))
    assert pair.two.live.policy.primaries()[LAN] == 2


async def test_a_router_that_did_not_come_back_after_a_start_is_not_chosen(pair):
    await add_routers(pair)
    pair.two.live.attendance.be_elsewhere(frozenset({3}))
    assert pair.two.live.policy.primaries()[LAN] == 2
    pair.two.live.attendance.settle()
    assert pair.two.live.policy.primaries()[LAN] == 3


async def test_only_routers_that_are_connected_here_are_probed(pair):
    await add_routers(pair)
    pair.one.live.came_online(2)
    pair.one.live.attendance.be_elsewhere(frozenset({3}))
    assert pair.one.live.to_probe() == [2]


async def test_an_ephemeral_node_is_removed_once_by_whoever_has_the_duty(pair):
    await pair.join("guest", ephemeral=True)
    for tailnet in (pair.one, pair.two):
        tailnet.clock.advance(hours=1)
    reap = {tailnet: duties._once(tailnet.live, duties.REAPING, duties._reap) for tailnet in (pair.one, pair.two)}
    await reap[pair.two]()
    await pair.meet()
    assert pair.two.node("guest")
    pair.two.services.replication.duties.add(duties.REAPING)
    await reap[pair.two]()
    await pair.meet()
    assert "guest" not in pair.one.state.index.node_by_name


async def test_an_ephemeral_node_that_is_connected_elsewhere_stays(pair):
    await pair.join("guest", ephemeral=True)
    pair.two.services.replication.duties.add(duties.REAPING)
    pair.two.live.attendance.be_elsewhere(frozenset({2}))
    pair.two.clock.advance(hours=1)
    await duties._reap(pair.two.live)
    assert pair.two.node("guest")


async def test_what_others_wait_for_is_stored_at_once(pair):
    told = with_fields(pair.two.node("desk"), endpoints=("192.0.2.7:41641",))
    object.__setattr__(pair.two.live.terms, "write_behind", timedelta(seconds=30))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(duties.store_reports, pair.two.live)
        await anyio.lowlevel.checkpoint()
        pair.two.live.report(Report(told, durable=False))
    await pair.meet()
    assert pair.one.node("desk").endpoints == ("192.0.2.7:41641",)


async def test_a_node_that_registered_with_another_replica_is_known_when_it_asks(pair):
    client = FakeClient.direct(pair.one.app, hostname="phone")
    await client.register(await pair.one.auth_key())
    moved = FakeClient.direct(pair.two.app, hostname="phone", machine=client.machine)
    moved.node_key = client.node_key
    stream = await moved.poll()
    await stream.until(lambda netmap: netmap.peer_names == ["desk"])
