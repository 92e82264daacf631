"""The one place where a tailnet changes: a command is computed, stored, made true, and told, one after the other."""

from collections.abc import Callable
from time import monotonic

import anyio
from anyio import to_thread
from msgspec.structs import replace

from hatsize.hooks.metrics import Histogram
from hatsize.hooks.storage import ConflictError, Storage
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

Command = Callable[[State], Change | None]
"""Pure: the change a wish comes to in this state, or None for none. May run again when another process was quicker."""

ATTEMPTS = 10


class Writer:
    """Runs commands on a tailnet's state, durable before it returns, and keeps what may be stored a little later."""

    def __init__(self, state: State, storage: Storage, applied: Callable[[Change], None], commits: Histogram) -> None:
        self._state = state
        self._storage = storage
        self._applied = applied
        self._commits = commits
        self._lock = anyio.Lock(fast_acquire=True)
        self._behind: set[int] = set()

    @property
    def behind(self) -> int:
        """How many nodes have told something that is not stored yet."""
        return len(self._behind)

    async def run(self, command: Command) -> Change | None:
        """Carry a command out; raises what the command raises, or StorageError when nothing was kept of it."""
        async with self._lock:
            for attempt in range(ATTEMPTS):
                change = command(self._state)
                if change is None:
                    return None
                try:
                    numbered = await self._commit(change)
                except ConflictError:
                    if attempt == ATTEMPTS - 1:
                        raise
                    await self._catch_up()
                    continue
                self._make_true(numbered)
                return numbered
        raise AssertionError("unreachable")

    def report(self, change: Change) -> None:
        """Make a change of nodes true at once and store it with the next batch; it may be lost if power goes before."""
        self._make_true(change)
        self._behind.update(record.id for record in change.puts if isinstance(record, Node))

    async def flush(self, now: Callable[[], Change]) -> None:
        """Store what was reported. `now` makes the empty change that is filled with the rows as they are."""
        if not self._behind:
            return
        async with self._lock:
            ids, self._behind = self._behind, set()
            nodes = tuple(node for node in map(self._state.table(Node).get, ids) if node is not None)
            if not nodes:
                return
            try:
                for _ in range(ATTEMPTS):
                    try:
                        numbered = await self._commit(replace(now(), puts=nodes))
                        break
                    except ConflictError:
                        await self._catch_up(keeping=ids)
                        nodes = tuple(node for node in map(self._state.table(Node).get, ids) if node is not None)
                else:
                    self._behind |= ids
                    return
            except BaseException:
                self._behind |= ids
                raise
            self._state.seq = numbered.seq

    async def catch_up(self) -> None:
        """Take over what other processes have committed."""
        async with self._lock:
            await self._catch_up()

    async def _commit(self, change: Change) -> Change:
        started = monotonic()
        seq = await to_thread.run_sync(self._storage.commit, [change], self._state.seq)
        self._commits.observe(monotonic() - started, {"seq": str(seq)})
        return replace(change, seq=seq)

    async def _catch_up(self, keeping: frozenset[int] | set[int] = frozenset()) -> None:
        after = self._state.seq
        for change in await to_thread.run_sync(self._storage.changes, self._state.tailnet_id, after):
            puts = tuple(r for r in change.puts if not (isinstance(r, Node) and r.id in keeping | self._behind))
            self._make_true(replace(change, puts=puts))

    def _make_true(self, change: Change) -> None:
        self._state.apply(change)
        self._applied(change)
