"""This replica as a member: it keeps its lease, tells which nodes are here, and claims duties."""

import logging
from collections.abc import Callable
from contextlib import suppress

import anyio

from hatsize.hooks.replicas import Replica
from hatsize.hooks.storage import StorageError
from hatsize_cluster.database import connected
from hatsize_cluster.lease import Lease
from hatsize_cluster.others import Others
from hatsize_cluster.outlook import Outlook
from hatsize_cluster.retrying import TROUBLE
from hatsize_cluster.tether import LeaseOverError, Tether, channel_of

log = logging.getLogger(__name__)

BEATS = 5
"""How often a lease is renewed within its time."""


class Membership:
    """One replica's membership, from joining anew to joining anew. `hold` it for as long as the server runs."""

    def __init__(self, info: str, lease: Lease, others: Others) -> None:
        self.lease = lease
        self.others = others
        self.duties: set[str] = set()
        """All that must be done once, as far as anybody has asked."""
        self.claimed: set[str] = set()
        self.draining = False
        self.tether: Tether | None = None
        """The open connection, None while there is none."""
        self.epoch = 0
        self._info = info
        self._stored: frozenset[int] = frozenset()
        """The nodes that the others know to be here."""
        self._timeline = ""
        self._woken = anyio.Event()
        self._must_tell = self._must_look = False

    def begin(
        self,
        replica: Replica,
        outlook: Outlook,
        known_as: tuple[str, str, str],
        joined: Callable[[], None],
        drain: Callable[[], object],
    ) -> None:
        """What it is about: the process, by id, name and version; whom to call when it has joined, and is to drain."""
        self._replica, self._outlook, self._known_as = replica, outlook, known_as
        self._joined, self._drain = joined, drain

    def wake(self, *, tell: bool = False, look: bool = False) -> None:
        """Something is to be told to the others, or to be looked at, or a node came or left."""
        self._must_tell |= tell
        self._must_look |= look
        self._woken.set()

    async def leave(self) -> None:
        """Say that this replica ends: its nodes have a lease's time to come to another one."""
        if self.tether is not None:
            with suppress(LeaseOverError, *TROUBLE), anyio.move_on_after(1):
                await self.tether.renew(self._outlook.told((), leaving=True))
                await self.tether.poke()

    async def hold(self) -> None:
        """Be a member for as long as a connection lasts."""
        connection = await connected(self._info, idle=self.lease.seconds)
        try:
            tether = Tether(connection, await channel_of(connection), self.lease.seconds)
            await self._notice_failover(tether)
            tether.epoch, self.tether = self.epoch, tether
            await self._enter(tether)
            await self._stay(tether)
        finally:
            self.tether = None
            self.claimed.clear()
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
        """Go on with the former membership, or join anew where that is over."""
        asked = self.lease.clock()
        try:
            await tether.renew(self._outlook.told(self.claimed))
        except LeaseOverError:
            await self._join(tether)
            return
        self.lease.renewed(asked)
        [(_, _, stored)] = await tether.presence([tether.epoch])
        self._stored = frozenset(stored)

    async def _join(self, tether: Tether) -> None:
        self.lease.lost()
        self.claimed.clear()
        await tether.give_up()
        if self.epoch:
            log.warning("the lease of this replica was over: it joins the others anew")
            self.others.be_patient(self.lease.seconds)
        asked = self.lease.clock()
        await tether.join(self._known_as, self._outlook.told(()))
        self.lease.renewed(asked)
        self.epoch, self._stored = tether.epoch, frozenset()
        await tether.poke()

    async def _stay(self, tether: Tether) -> None:
        """Tell and look, at once when there is something to tell, and otherwise in time for the lease."""
        due = float("-inf")
        while True:
            self._woken = anyio.Event()
            try:
                with anyio.fail_after(self.lease.seconds):
                    await self._tell_presence(tether)
                    if self._must_tell or self._must_look or self.lease.clock() >= due:
                        await self._beat(tether)
                        due = self.lease.clock() + self.lease.seconds / BEATS
            except LeaseOverError:
                await self._join(tether)
                continue
            self._joined()
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
        wanted = await tether.renew(self._outlook.told(self.claimed))
        self.lease.renewed(asked)
        if tells:
            await tether.poke()
        await self._be_draining(tether, wanted=wanted)
        if not self.draining:
            self.claimed |= set(await tether.claim(sorted(self.duties - self.claimed)))
        await self._look(tether)
        self._outlook.believe(self.epoch, draining=self.draining)

    async def _look(self, tether: Tether) -> None:
        unread = self.others.take(await tether.members())
        for epoch, serial, nodes in await tether.presence(unread) if unread else ():
            self.others.read(epoch, serial, nodes)

    async def _be_draining(self, tether: Tether, *, wanted: bool) -> None:
        if wanted == self.draining:
            return
        self.draining = wanted
        log.info("this replica %s", "lets its clients go" if wanted else "takes clients again")
        if wanted:
            self.claimed.clear()
            await tether.give_up()
            self._drain()
        self.wake(tell=True)
