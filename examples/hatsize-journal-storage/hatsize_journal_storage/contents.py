"""What a journal says, read from its beginning."""

from collections.abc import Sequence
from datetime import datetime
from itertools import dropwhile

from msgspec.structs import replace

from hatsize.hooks.storage import LogTrimmedError, Snapshot
from hatsize.tailnet.model import Change, Record, Tailnet


class Contents:
    """The rows, the log and the highest ids of every tailnet."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[tuple[str, int], Record]] = {}
        self._log: dict[int, list[Change]] = {}
        self._forgotten: dict[int, int] = {}
        self._last_ids: dict[int, dict[str, int]] = {}

    def take(self, changes: Sequence[Change]) -> None:
        """A commit that was read or written."""
        for change in changes:
            rows = self._rows.setdefault(change.tailnet, {})
            last = self._last_ids.setdefault(change.tailnet, {})
            self._log.setdefault(change.tailnet, []).append(change)
            for key in change.deletes:
                rows.pop(key, None)
            for record in change.puts:
                rows[record.table, record.id] = record
                last[record.table] = max(last.get(record.table, 0), record.id)

    def forget(self, before: datetime) -> int:
        """Forget the log's entries from before a time, but for each tailnet's last; how many."""
        count = 0
        for tailnet, log in self._log.items():
            kept = list(dropwhile(lambda change: change.at < before, log[:-1])) + log[-1:]
            self._forgotten[tailnet] = self._forgotten.get(tailnet, 0) + len(log) - len(kept)
            count += len(log) - len(kept)
            self._log[tailnet] = kept
        return count

    def seq(self, tailnet: int) -> int:
        return self._forgotten.get(tailnet, 0) + len(self._log.get(tailnet, ()))

    def tailnets(self) -> list[Tailnet]:
        rows = (row for _, table in sorted(self._rows.items()) for row in table.values())
        return [row for row in rows if isinstance(row, Tailnet)]

    def snapshot(self, tailnet: int) -> Snapshot:
        rows = self._rows.get(tailnet, {})
        return Snapshot(self.seq(tailnet), list(rows.values()), dict(self._last_ids.get(tailnet, {})))

    def changes(self, tailnet: int, after: int) -> list[Change]:
        """The log after a number, with the rows as they are now."""
        forgotten = self._forgotten.get(tailnet, 0)
        if after < forgotten:
            raise LogTrimmedError(f"the journal begins after change {forgotten}: load the tailnet anew")
        rows = self._rows.get(tailnet, {})
        return [
            replace(change, puts=tuple(rows[key] for row in change.puts if (key := (row.table, row.id)) in rows))
            for change in self._log.get(tailnet, [])[after - forgotten :]
        ]
