"""This replica among the others: it keeps its lease, tells who is here, claims duties, and hears of the others."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

import anyio
import psycopg
from anyio import to_thread

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.replicas import Relay
from hatsize.hooks.setup import Setup
from hatsize.hooks.storage import Storage, StorageError
from hatsize_cluster import draining, notices, schema, sealing
from hatsize_cluster.database import connected, connected_now, conninfo
from hatsize_cluster.follower import follow
from hatsize_cluster.identity import kept_id
from hatsize_cluster.lease import Lease
from hatsize_cluster.letters import Letters
from hatsize_cluster.others import Others, Told
from hatsize_cluster.relays import Place, Relays
from hatsize_cluster.settings import Settings
from hatsize_cluster.tether import LeaseOverError, Tether, channel_of

log = logging.getLogger(__name__)
AGAIN_IN = 0.5
"""Seconds between attempts to reach the database."""
BEATS = 5
"""How often a lease is renewed within its time."""
TROUBLE = (psycopg.Error, OSError, TimeoutError)
"""What may come of asking the database."""


class Membership:
    """Implements `hatsize.hooks.replicas.Replication`."""

    name = "cluster"

    def __init__(self, setup: Setup) -> None:
        self._settings: Settings = setup.settings
        self._info = conninfo(setup.database_url)
        self._folder = setup.data_dir / setup.name
        self.lease = lease = Lease(self._settings.lease)
        self.draining = False
        self.others = Others(lease.clock)
        self._id = ""
        self._wanted: set[str] = set()
        self._claimed: set[str] = set()
        self._tether: Tether | None = None
        self._epoch = 0
        self._stored: frozenset[int] = frozenset()
        """The nodes that the others know to be here."""
        self._timeline = ""
        self._followed: object = None
        self._woken = anyio.Event()
        self._must_tell = self._must_look = False
        self._letters = Letters(lambda: self._tether.connection if self._tether else None)

    # What the core asks.

    def shared_secret(self, storage: Storage, name: str, ours: bytes) -> bytes:
        return sealing.shared(storage, sealing.read_key(self._settings.key_file), name, ours)

    def is_ours(self, duty: str) -> bool:
        self._wanted.add(duty)
        return duty in self._claimed and self.lease.holds

    def is_followed(self) -> bool:
        return bool(self.others.members)

    def here(self, node_id: int, connected: bool) -> None:
        del node_id, connected
        self._woken.set()

    def found(self) -> None:
        self._must_tell = True
        self._woken.set()

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        to, tether = self.others.of(node_id), self._tether
        if to is None or tether is None:
            return None
        with suppress(*TROUBLE):
            return await self._letters.ask(
                tether.channel, tether.epoch, to, node_id, types=types, payload=payload, within=within
            )
        return None

    # Membership.

    async def run(self, server: Server, ready: Callable[[], None]) -> None:
        """Be a member until cancelled; then leave. `ready` is called once this replica has joined."""
        self._server, self._replica = server, server.replica
        self._id = await to_thread.run_sync(kept_id, self._folder)
        await to_thread.run_sync(self._upgrade)
        mesh_key = await to_thread.run_sync(
            self.shared_secret, self._replica.storage, "mesh", secrets.token_hex(32).encode()
        )
        self._replica.accept_mesh(mesh_key.decode())
        self._ready = ready
        async with anyio.create_task_group() as self._tasks:
            self._relays = Relays(self._replica, self._tasks)
            self._tasks.start_soon(self._again, "the lease", self._hold)
            self._tasks.start_soon(self._again, "notifications", self._listen)
            self._tasks.start_soon(follow, server)

    def _upgrade(self) -> None:
        with connected_now(self._info) as connection:
            schema.upgrade(connection)

    async def _again(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that a lost connection ends, again and again."""
        said = ""
        while True:
            try:
                await work()
            except TROUBLE as error:
                words = str(error).strip() or type(error).__name__
                if words != said:
                    log.warning("the cluster's database does not answer (%s): %s", what, words)
                said = words
            await anyio.sleep(AGAIN_IN)

    async def _hold(self) -> None:
        """Be a member for as long as a connection lasts."""
        connection = await connected(self._info, idle=self.lease.seconds)
        try:
            tether = Tether(connection, await channel_of(connection), self.lease.seconds)
            await self._notice_failover(tether)
            tether.epoch, self._tether = self._epoch, tether
            await self._enter(tether)
            await self._stay(tether)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(1, shield=True):
                await self._leave()
            raise
        finally:
            self._tether = None
            self._claimed.clear()
            with anyio.CancelScope(shield=True):
                await connection.close()

    async def _notice_failover(self, tether: Tether) -> None:
        """A standby that took over may not have what the former server had, or have it otherwise."""
        former, self._timeline = self._timeline, await tether.timeline()
        if former not in {"", self._timeline}:
            log.warning("the database was taken over by a standby")
            try:
                await self._replica.load_anew()
            except StorageError as error:
                self._timeline = former
                raise OSError(str(error)) from error

    async def _enter(self, tether: Tether) -> None:
        """Go on with the former membership, or join anew where that is over; tell who is here."""
        asked = self.lease.clock()
        try:
            await tether.renew(self._told())
        except LeaseOverError:
            await self._join(tether)
        else:
            self.lease.renewed(asked)
        [(_, _, stored)] = await tether.presence([tether.epoch])
        self._stored = frozenset(stored)

    async def _join(self, tether: Tether) -> None:
        self.lease.lost()
        self._claimed.clear()
        await tether.give_up()
        if self._epoch:
            log.warning("the lease of this replica was over: it joins the others anew")
            self.others.be_patient(self.lease.seconds)
        asked = self.lease.clock()
        await tether.join((self._id, self._settings.name, version("hatsize")), self._told())
        self.lease.renewed(asked)
        self._epoch, self._stored = tether.epoch, frozenset()
        await tether.poke()

    async def _stay(self, tether: Tether) -> None:
        """Tell and look, at once when there is something to tell, and otherwise in time for the lease."""
        every = self.lease.seconds / BEATS
        due = float("-inf")
        while True:
            self._woken = anyio.Event()
            try:
                with anyio.fail_after(self.lease.seconds):
                    await self._tell_presence(tether)
                    if self._must_tell or self._must_look or self.lease.clock() >= due:
                        await self._beat(tether)
                        due = self.lease.clock() + every
            except LeaseOverError:
                await self._join(tether)
                continue
            self._ready()
            with anyio.move_on_after(max(due - self.lease.clock(), 0)):
                await self._woken.wait()

    async def _tell_presence(self, tether: Tether) -> None:
        here = self._replica.connected()
        if here != self._stored:
            await tether.change(sorted(here - self._stored), sorted(self._stored - here))
            self._stored = here

    async def _beat(self, tether: Tether) -> None:
        """Renew the lease, tell, claim, and look at the others."""
        tells, self._must_tell, self._must_look = self._must_tell, False, False
        asked = self.lease.clock()
        wanted = await tether.renew(self._told())
        self.lease.renewed(asked)
        if tells:
            await tether.poke()
        await self._be_draining(tether, wanted=wanted)
        if not self.draining:
            self._claimed |= set(await tether.claim(sorted(self._wanted - self._claimed)))
        unread = self.others.take(await tether.members())
        for epoch, serial, nodes in await tether.presence(unread) if unread else ():
            self.others.read(epoch, serial, nodes)
        self._believe()

    async def _be_draining(self, tether: Tether, *, wanted: bool) -> None:
        if wanted == self.draining:
            return
        self.draining = wanted
        log.info("this replica %s", "lets its clients go" if wanted else "takes clients again")
        if wanted:
            self._claimed.clear()
            await tether.give_up()
            self._tasks.start_soon(draining.drain, self._replica, lambda: self.draining)
        self._must_tell = True
        self._woken.set()

    def _believe(self) -> None:
        """Take what is known of the others for true."""
        others = self.others
        self._replica.be_elsewhere(others.nodes)
        primaries = others.primaries(self._epoch)
        news = primaries if primaries != self._followed else None
        self._followed = primaries
        self._replica.follow_routers(news, others.silent)
        places = [Place(each.id, each.told.relay) for each in others.members if each.told.relay and not each.draining]
        relay = self._own_relay()
        self._relays.be(Place(self._id, relay) if relay and not self.draining else None, places)

    def _own_relay(self) -> Relay | None:
        relay = self._replica.relay
        address = self._settings.address
        return replace(relay, host=address) if relay and address else relay

    def _told(self, *, leaving: bool = False) -> Told:
        routers, replica = self._replica.routers, self._replica
        return Told(
            seq=self._server.state.seq,
            sessions=replica.sessions,
            primaries=dict(routers.primaries),
            silent=sorted(routers.silent),
            relay=None if leaving else self._own_relay(),
            links=sorted(replica.linked),
            duties=sorted(self._claimed),
            leaving=leaving,
        )

    async def _leave(self) -> None:
        """Say that this replica ends: its nodes have a lease's time to come to another one."""
        tether = self._tether
        if tether is not None:
            with suppress(LeaseOverError, *TROUBLE):
                await tether.renew(self._told(leaving=True))
                await tether.poke()

    # Hearing.

    async def _listen(self) -> None:
        """Hear notifications for as long as a connection lasts."""
        every = self.lease.seconds / BEATS
        async with await connected(self._info) as connection:
            await connection.execute(f"LISTEN {await channel_of(connection)}".encode())
            self._look()
            while True:
                async for notification in connection.notifies(timeout=every):
                    self._hear(notices.read(notification.payload))
                with anyio.fail_after(self.lease.seconds):
                    await connection.execute("SELECT 1")

    def _hear(self, notice: notices.Notice) -> None:
        tether = self._tether
        if notice.epoch and notice.epoch == self._epoch:
            return
        if notice.epoch:
            if self.others.change(notice.epoch, notice.serial, notice.came, notice.left):
                self._replica.be_elsewhere(self.others.nodes)
            else:
                self._look()
        elif not notice.to:
            self._look()
        elif tether is not None and notice.to == self._epoch:
            self._tasks.start_soon(self._read_letter, tether.channel, notice.letter)

    def _look(self) -> None:
        self._must_look = True
        self._woken.set()

    async def _read_letter(self, channel: str, number: int) -> None:
        with suppress(*TROUBLE):
            await self._letters.take(channel, number, self._replica)
