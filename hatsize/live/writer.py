"""The one place where a tailnet changes: a command is computed, stored, made true, and told, one after the other."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic

import anyio
from anyio import to_thread
from msgspec.structs import replace

from hatsize.hooks.metrics import Histogram
from hatsize.hooks.storage import ConflictError, LogTrimmedError, Storage, StorageError
from hatsize.live.reloading import differences
from hatsize.tailnet.merge import merged
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

log = logging.getLogger(__name__)

Command = Callable[[State], Change | None]
"""Pure: the change a wish comes to in this state, or None for none. May run again when another process was quicker."""

ATTEMPTS = 10
"""How often reports are tried to be stored, before their next turn comes."""
PATIENCE = 10.0
"""Seconds in which a command tries to be quicker than other processes.

The one that was quickest knows the newest change already and tends to stay so: ten attempts would be used up soon.
"""


class Writer:
    """Runs commands on a tailnet's state, durable before it returns, and keeps what may be stored a little later."""

    def __init__(self, state: State, storage: Storage, applied: Callable[[Change], None], commits: Histogram) -> None:
        self._state = state
        self._storage = storage
        self._applied = applied
        self._commits = commits
        self._lock = anyio.Lock(fast_acquire=True)
        self._behind: dict[int, Node] = {}
        """By id, as it was last stored, each node that has told something since."""
        self.refusal = ""
        """Why the storage did not take the last commit, in its words; empty when it did."""

    @property
    def behind(self) -> int:
        """How many nodes have told something that is not stored yet."""
        return len(self._behind)

    async def run(self, command: Command) -> Change | None:
        """Carry a command out; raises what the command raises, or StorageError when nothing was kept of it."""
        async with self._lock:
            give_up = monotonic() + PATIENCE
            while True:
                change = command(self._state)
                if change is None:
                    return None
                seen = {record.id: self._state.find(Node, record.id) for record in _nodes(change)}
                try:
                    numbered = await self._commit(change)
                except ConflictError:
                    if monotonic() > give_up:
                        raise
                    await self._after_conflict()
                    continue
                return self._take(numbered, seen)

    def report(self, change: Change) -> None:
        """Make a change of nodes true at once and store it with the next batch; it may be lost if power goes before."""
        for node in _nodes(change):
            stored = self._state.find(Node, node.id)
            if stored is not None:
                self._behind.setdefault(node.id, stored)
        self._make_true(change)

    async def flush(self, now: Callable[[], Change]) -> None:
        """Store what was reported. `now` makes the empty change that is filled with the rows as they are.

        After a refusal an empty change will do, to learn whether the storage takes commits again.
        """
        if not self._behind and not self.refusal:
            return
        async with self._lock:
            for _ in range(ATTEMPTS):
                former, self._behind = self._behind, {}
                nodes = tuple(node for node in map(self._state.table(Node).get, former) if node is not None)
                try:
                    if nodes or self.refusal:
                        self._state.seq = (await self._commit(replace(now(), puts=nodes))).seq
                except BaseException as error:
                    self._behind = {**self._behind, **former}
                    if not isinstance(error, ConflictError):
                        raise
                    await self._after_conflict()
                else:
                    return

    async def catch_up(self, seq: int) -> None:
        """Take over what other processes have committed, unless all up to `seq` is known."""
        async with self._lock:
            if self._state.seq < seq:
                await self._catch_up()

    async def load_anew(self) -> None:
        """Read everything again, whatever the log says."""
        async with self._lock:
            await self._load_anew()

    async def _commit(self, change: Change) -> Change:
        started = monotonic()
        try:
            seq = await to_thread.run_sync(self._storage.commit, [change], self._state.seq)
        except StorageError as error:
            self.refusal = "" if isinstance(error, ConflictError) else str(error)
            raise
        self.refusal = ""
        self._commits.observe(monotonic() - started, {"seq": str(seq)})
        return replace(change, seq=seq)

    async def _after_conflict(self) -> None:
        """Read what another process has committed; where that is nothing, the storage has gone back."""
        before = self._state.seq
        await self._catch_up()
        if self._state.seq == before:
            await self._load_anew()

    async def _catch_up(self) -> None:
        tailnet, after = self._state.tailnet_id, self._state.seq
        try:
            changes = await to_thread.run_sync(self._storage.changes, tailnet, after)
        except LogTrimmedError:
            await self._load_anew()
            return
        for change in changes:
            self._take(change, self._behind)

    async def _load_anew(self) -> None:
        stored = await to_thread.run_sync(self._storage.load, self._state.tailnet_id)
        log.warning("reading everything anew: from change %d to %d", self._state.seq, stored.seq)
        for change in differences(self._state, stored, datetime.now(UTC)):
            self._take(change, self._behind)
        self._state.count(stored.last_ids)
        self._state.seq = stored.seq

    def _take(self, stored: Change, seen: Mapping[int, Node | None]) -> Change:
        """Make a stored change true that was made when nodes were as in `seen`, with what they have told since."""
        puts = tuple(self._with_report(record, seen) if isinstance(record, Node) else record for record in stored.puts)
        self._behind |= {node.id: node for node in _nodes(stored) if node.id in self._behind}
        change = replace(stored, puts=puts)
        self._make_true(change)
        return change

    def _with_report(self, node: Node, seen: Mapping[int, Node | None]) -> Node:
        former, current = seen.get(node.id), self._state.find(Node, node.id)
        return node if former is None or current is None else merged(former, current, node)

    def _make_true(self, change: Change) -> None:
        self._state.apply(change)
        self._applied(change)


def _nodes(change: Change) -> list[Node]:
    return [record for record in change.puts if isinstance(record, Node)]
