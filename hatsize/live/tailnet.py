"""A tailnet that is being served."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Network

import anyio
from msgspec.structs import replace

from hatsize.hooks.ipam import AllocationRequest
from hatsize.hooks.policy import CompiledPolicy
from hatsize.live.asking import allocated, dns_config
from hatsize.live.attendance import Attendance
from hatsize.live.deadlines import Deadlines
from hatsize.live.judged import matters_to_policy
from hatsize.live.measures import Measures
from hatsize.live.revising import revised, stored_policy
from hatsize.live.routers import Routers
from hatsize.live.services import Services, Terms
from hatsize.live.terms import in_force
from hatsize.live.writer import Command, Writer
from hatsize.netmap.engine import Netmap
from hatsize.netmap.scene import Scene
from hatsize.tailnet.commands.report import Report
from hatsize.tailnet.model import Change, Node, PolicyVersion, User
from hatsize.tailnet.node_dns import for_node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DERPMap, DNSConfig


def utc_now() -> datetime:
    return datetime.now(UTC)


class LiveTailnet:
    """The state of one tailnet, its netmap, and everything that keeps the two in step with the world.

    Belongs to the event loop's thread. `watch` is how map sessions and plugins hear that something changed.
    """

    def __init__(
        self,
        state: State,
        services: Services,
        terms: Terms,
        derp_map: Callable[[int], DERPMap],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.state = state
        self.services = services
        self.configured, self.terms = terms, in_force(terms, state)
        self.clock = clock
        self.expiries = Deadlines()
        self.reapings = Deadlines()
        self._watchers: list[Callable[[], None]] = []
        self._listeners: list[Callable[[Change], None]] = []
        self._known: dict[int, Node] = dict(state.table(Node))
        self.attendance = Attendance(self)
        self.awaited = anyio.Event()
        """Set when something is written behind that other replicas wait for."""
        self.measures = Measures()
        self._writer = Writer(state, services.storage, self._applied, self.measures.commits)
        scene = Scene(
            state=state,
            now=clock,
            base_domain=terms.base_domain,
            domain=terms.domain,
            dns=self._dns,
            derp_map=derp_map,
            collect_services=terms.collect_services,
            taildrop=terms.taildrop,
            logtail=terms.logtail,
            auto_update=self.terms.auto_update,
            notices=terms.notices,
        )
        self.policy_document = stored_policy(self.state)
        self.netmap = Netmap(scene, services.policy.compile(self.policy_document, state))
        self.routers = Routers(state)
        if self.routers.ids():
            self.elect(always=True)
        for node in self._known.values():
            self._set_deadlines(node)

    @property
    def policy(self) -> CompiledPolicy:
        """What the policy in force means for the tailnet as it is."""
        return self.netmap.policy

    async def run(self, command: Command) -> Change | None:
        """Carry out a command: computed on the state of now, durable before this returns, told to everyone
        concerned."""
        return await self._writer.run(command)

    def report(self, report: Report) -> None:
        """A node told something of itself that may be stored a little later."""
        self._writer.report(self._change("node.reported", (report.node,)))
        if self.services.replication.is_followed():
            self.awaited.set()

    async def flush(self) -> None:
        """Store what nodes reported."""
        await self._writer.flush(lambda: self._change("node.reported", ()))

    async def catch_up(self, seq: int) -> None:
        """Take over what other processes on the same storage have committed, unless all up to `seq` is known."""
        await self._writer.catch_up(seq)

    async def load_anew(self) -> None:
        """Read everything again, as after the storage may have forgotten."""
        await self._writer.load_anew()

    async def refresh(self) -> None:
        """Know all that is stored: for a question about what another replica may have stored a moment ago."""
        if self.services.replication.is_followed():
            await self.catch_up(self.state.seq + 1)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call this, at once and in the loop's thread, whenever a reader may have something new to be told."""
        self._watchers.append(watcher)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call this with every change that has become true."""
        self._listeners.append(listener)

    def attend(self, attendant: Callable[[int, bool], None]) -> None:
        """Call this with a node's id, and whether it is online, whenever that has changed."""
        self.attendance.attend(attendant)

    @property
    def behind(self) -> int:
        """How many nodes have told something that is not stored yet."""
        return self._writer.behind

    @property
    def refusal(self) -> str:
        """Why the storage did not take the last change, in its words; empty when it did. `flush` asks it again."""
        return self._writer.refusal

    def is_online(self, node_id: int) -> bool:
        return self.netmap.scene.is_online(node_id)

    def came_online(self, node_id: int) -> None:
        """A node's map stream opened here."""
        self.attendance.came(node_id)

    def went_offline(self, node_id: int) -> None:
        """A node's map stream ended here and was not opened again for a while."""
        self.attendance.left(node_id)

    def addresses(self, state: State, node: Node) -> tuple[str | None, str | None]:
        """Addresses for a node: those it has if they are still inside the prefixes, or new ones."""
        user = state.find(User, node.user_id)
        pools = self.policy.address_pools(user, node.tags)
        request = AllocationRequest(
            node=node,
            user=user,
            v4=[IPv4Network(pool) for pool in pools] or self.terms.v4,
            v6=self.terms.v6,
            taken=state.index.node_by_address.__contains__,
        )
        return allocated(self.services, request)

    def may_tag(self, state: State, user: User | None, tag: str) -> bool:
        """Whether the policy lets a user give the tag to a node of theirs."""
        del state
        return self.policy.may_tag(user, tag)

    def auto_approved(self, state: State, node: Node) -> Sequence[str]:
        """The node's advertised routes that the policy approves by itself."""
        del state
        return [route for route in node.advertised_routes if self.policy.auto_approved(node, route)]

    def go_by(self, configured: Terms) -> None:
        """Other settings are configured, or chosen at run time. Names and prefixes are those of the start."""
        self.configured = configured
        self.terms = terms = in_force(configured, self.state)
        scene = self.netmap.scene
        scene.taildrop, scene.logtail, scene.auto_update = terms.taildrop, terms.logtail, terms.auto_update
        scene.notices = terms.notices
        self.settings_changed()

    def settings_changed(self) -> None:
        """What every node is told of the tailnet changed: DNS, relays."""
        self.netmap.everyone_changed()
        self.wake()

    def node_expired(self, node_ids: list[int]) -> None:
        """These nodes' keys have just expired by the clock."""
        self.netmap.peers_changed(node_ids)
        self.wake()

    def to_probe(self) -> list[int]:
        """The routers whose routes somebody else could serve, and that have a map stream here."""
        return [node_id for node_id in self.routers.standing_in() if self.attendance.presence.is_here(node_id)]

    def probed(self, answered: Mapping[int, bool]) -> None:
        """Routers were asked for a sign of life; which of them gave one. Judged together, so that routes move once."""
        if self.routers.probed(answered):
            self.services.replication.found()
            self.elect()
            self.wake()

    def follow_routers(self, primaries: Mapping[str, int]) -> None:
        """Another replica has found who serves each route: it stays so, as long as these can."""
        if self.routers.prefer(primaries):
            self.elect(always=True)
            self.wake()

    def note_seen(self, node: Node) -> None:
        """A node was seen just now."""
        self._writer.report(self._change("node.reported", (replace(node, last_seen=self.clock()),)))

    def _applied(self, change: Change) -> None:
        """The state has just taken a change in: bring policy and netmap after it, and wake whoever watches."""
        routes = self._concerns_routes(change)
        touched = self._note_nodes(change)
        self.netmap.observe(change)
        saved = any(isinstance(record, PolicyVersion) for record in change.puts)
        if saved:
            self.policy_document = stored_policy(self.state)
        if saved or change.kind.startswith("user."):
            self._revise(touched)
        elif touched:
            with self.measures.compiles.timed():
                compiled, affected = self.services.policy.update(self.policy, self.state, touched)
            self.netmap.recompiled(compiled, affected)
            if routes:
                self.elect(always=True)
        if change.kind in {"dns.updated", "tailnet.updated", "import.finished"}:
            self.go_by(self.configured)
        self.attendance.observe(change)
        for listener in self._listeners:
            listener(change)
        self.wake()

    def _revise(self, touched: list[int]) -> None:
        """Go over to another policy or other users; these nodes have changed with them."""
        with self.measures.compiles.timed():
            compiled, affected = revised(self.services.policy, self.policy, self.policy_document, self.state, touched)
        compiled, moved = self.routers.elected(compiled)
        self.netmap.recompiled(compiled, affected)
        shown_anew = -1 if moved else affected or 0
        routers = [node_id for node_id in self.routers.ids() if shown_anew >> self.state.ordinals.of(node_id) & 1]
        if routers:
            self.netmap.peers_changed(routers)
        if moved:
            self.services.replication.found()

    def _concerns_routes(self, change: Change) -> bool:
        """Whether a change may move routes: a node that serves some, or served some, is in it."""
        ids = [record_id for table, record_id in change.deletes if table == Node.table]
        ids += [record.id for record in change.puts if isinstance(record, Node)]
        former = (self._known.get(node_id) for node_id in ids)
        nodes = (record for record in change.puts if isinstance(record, Node))
        return any(node is not None and node.approved_routes for node in (*former, *nodes))

    def elect(self, *, always: bool = False) -> None:
        """Choose who serves each route; all routers are told anew when that moved something."""
        compiled, moved = self.routers.elected(self.policy)
        if moved or always:
            routers = self.routers.ids()
            self.netmap.recompiled(compiled, self.state.ordinals.bits(routers))
            self.netmap.peers_changed(routers)
            self.services.replication.found()

    def _note_nodes(self, change: Change) -> list[int]:
        """The nodes of a change that mean something else to the policy now."""
        touched = [record_id for table, record_id in change.deletes if table == Node.table]
        for node_id in touched:
            self._known.pop(node_id, None)
            self.expiries.set(node_id, None)
            self.reapings.set(node_id, None)
            self.routers.forget(node_id)
            self.netmap.scene.online.discard(node_id)
        for record in change.puts:
            if isinstance(record, Node):
                if matters_to_policy(self._known.get(record.id), record):
                    touched.append(record.id)
                self._known[record.id] = record
                self._set_deadlines(record)
        return touched

    def _set_deadlines(self, node: Node) -> None:
        expiry = node.key_expiry
        self.expiries.set(node.id, expiry if expiry and expiry > self.clock() else None)
        if node.ephemeral and not self.is_online(node.id):
            self.reapings.set(node.id, self.clock() + self.terms.ephemeral_timeout)

    def _dns(self, node: Node) -> DNSConfig:
        return for_node(dns_config(self.services, self.state, node), node, self.policy.self_cap_map(node.id))

    def _change(self, kind: str, puts: tuple[Node, ...]) -> Change:
        return Change(tailnet=self.state.tailnet_id, kind=kind, puts=puts, actor="node", at=self.clock())

    def wake(self) -> None:
        """A reader may have something new to be told."""
        for watcher in self._watchers:
            watcher()
