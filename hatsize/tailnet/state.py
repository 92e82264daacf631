"""One tailnet in memory: its records by table and id, the indexes over them, and what changed since when."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast

from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.index import Indexes
from hatsize.tailnet.model import RECORDS, Change, Node, Record, Tailnet, User
from hatsize.tailnet.ordinals import Ordinals

R = TypeVar("R", bound=Record)


class State:
    """What is true of a tailnet now.

    Only `apply` changes it, in the thread that owns it. `version` counts what readers can notice in this process:
    applied changes, durable or not, and ticks; `seq` is the number of the last durable change.
    """

    def __init__(self, tailnet: int) -> None:
        self.tailnet_id = tailnet
        self.version = 0
        self.seq = 0
        self._tables: dict[str, dict[int, Record]] = {kind.table: {} for kind in RECORDS}
        self._last_id: dict[str, int] = {}
        self.index = Indexes()
        self.ordinals = Ordinals()

    @classmethod
    def load(cls, tailnet: int, seq: int, records: Iterable[Record], last_ids: dict[str, int]) -> "State":
        """The state a storage remembers: its rows, the number of its last change, the highest id ever given out."""
        state = cls(tailnet)
        state.seq = seq
        for record in records:
            state._put(record)
        state.count(last_ids)
        return state

    @property
    def tailnet(self) -> Tailnet:
        return self.get(Tailnet, self.tailnet_id)

    def table(self, kind: type[R]) -> dict[int, R]:
        """The live rows of a table by id; not to be changed by the caller."""
        return cast("dict[int, R]", self._tables[kind.table])

    def all(self, kind: type[R]) -> Iterator[R]:
        return iter(self.table(kind).values())

    def find(self, kind: type[R], record_id: int | None) -> R | None:
        return None if record_id is None else self.table(kind).get(record_id)

    def get(self, kind: type[R], record_id: int) -> R:
        """The row; raises NotFoundError that names it."""
        record = self.table(kind).get(record_id)
        if record is None:
            raise NotFoundError(f"{kind.table.replace('_', ' ')} {record_id} does not exist")
        return record

    def next_id(self, kind: type[Record], after: int = 0) -> int:
        """An id never given out before; for a second new row of one change, pass the first one as `after`."""
        return max(self._last_id.get(kind.table, 0), after) + 1

    def count(self, last_ids: Mapping[str, int]) -> None:
        """Take note of the highest ids ever given out, by table."""
        for table, last in last_ids.items():
            self._last_id[table] = max(last, self._last_id.get(table, 0))

    def owner(self, node: Node) -> User | None:
        """Whose node it is; None for a tagged one."""
        return None if node.tags else self.find(User, node.user_id)

    def apply(self, change: Change) -> None:
        """Make a change true. It was computed from this state, or read from the log in its order."""
        self.version += 1
        for table, record_id in change.deletes:
            self._last_id[table] = max(self._last_id.get(table, 0), record_id)  # it may have come and gone unheard of
            old = self._tables[table].pop(record_id, None)
            if old is not None:
                self.index.remove(old)
                if isinstance(old, Node):
                    self.ordinals.remove(old.id, self.version)
        for record in change.puts:
            self._put(record)
        if change.seq:
            self.seq = change.seq

    def tick(self) -> None:
        """Count something that readers can notice though no record changed, as that a node came online."""
        self.version += 1

    def _put(self, record: Record) -> None:
        table = self._tables[record.table]
        old = table.get(record.id)
        if old is not None:
            self.index.remove(old)
        table[record.id] = record
        self._last_id[record.table] = max(self._last_id.get(record.table, 0), record.id)
        self.index.add(record)
        if isinstance(record, Node):
            self.ordinals.add(record.id)
