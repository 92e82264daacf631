"""The one place where a tailnet changes: a command is computed, stored, made true, and told, one after the other."""

from collections.abc import Callable, Mapping
from time import monotonic

import anyio
from anyio import to_thread
from msgspec.structs import replace

from hatsize.hooks.metrics import Histogram
from hatsize.hooks.storage import ConflictError, Storage
from hatsize.tailnet.merge import merged
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
        self._behind: dict[int, Node] = {}
        """By id, as it was last stored, each node that has told something since."""

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
                seen = {record.id: self._state.find(Node, record.id) for record in _nodes(change)}
                try:
                    numbered = await self._commit(change)
                except ConflictError:
                    if attempt == ATTEMPTS - 1:
                        raise
                    await self._catch_up()
                    continue
                return self._take(numbered, seen)
        raise AssertionError("unreachable")

    def report(self, change: Change) -> None:
        """Make a change of nodes true at once and store it with the next batch; it may be lost if power goes before."""
        for node in _nodes(change):
            stored = self._state.find(Node, node.id)
            if stored is not None:
                self._behind.setdefault(node.id, stored)
        self._make_true(change)

    async def flush(self, now: Callable[[], Change]) -> None:
        """Store what was reported. `now` makes the empty change that is filled with the rows as they are."""
        if not self._behind:
            return
        async with self._lock:
            for _ in range(ATTEMPTS):
                former, self._behind = self._behind, {}
                nodes = tuple(node for node in map(self._state.table(Node).get, former) if node is not None)
                try:
                    if nodes:
                        self._state.seq = (await self._commit(replace(now(), puts=nodes))).seq
                except BaseException as error:
                    self._behind = {**self._behind, **former}
                    if not isinstance(error, ConflictError):
                        raise
                    await self._catch_up()
                else:
                    return

    async def catch_up(self) -> None:
        """Take over what other processes have committed."""
        async with self._lock:
            await self._catch_up()

    async def _commit(self, change: Change) -> Change:
        started = monotonic()
        seq = await to_thread.run_sync(self._storage.commit, [change], self._state.seq)
        self._commits.observe(monotonic() - started, {"seq": str(seq)})
        return replace(change, seq=seq)

    async def _catch_up(self) -> None:
        after = self._state.seq
        for change in await to_thread.run_sync(self._storage.changes, self._state.tailnet_id, after):
            self._take(change, self._behind)

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
