"""The change log: what is written of a change beside its rows, and how the changes are read back."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from hatsize.builtin.storage import rows
from hatsize.builtin.storage.schema import CHANGE, COUNTER, KINDS, SEQ
from hatsize.hooks.storage import LogTrimmedError
from hatsize.tailnet.model import RECORDS, Change, Record

IDS_AT_ONCE = 500


def last_seq(connection: Connection, tailnet: int) -> int:
    """The number of the tailnet's last change, 0 when there was none."""
    query = select(COUNTER.c.last).where(COUNTER.c.tailnet == tailnet, COUNTER.c.name == SEQ)
    return connection.scalar(query) or 0


def entry(change: Change, seq: int) -> dict[str, Any]:
    """A change's row of the log."""
    return {
        "tailnet": change.tailnet,
        "seq": seq,
        "kind": change.kind,
        "at": change.at,
        "actor": change.actor,
        "puts": _by_table((record.table, record.id) for record in change.puts),
        "deletes": _by_table(change.deletes),
    }


def is_kept(connection: Connection, tailnet: int, entries: Sequence[dict[str, Any]]) -> bool:
    """Whether the log holds just these entries."""
    numbers = [made["seq"] for made in entries]
    query = select(CHANGE).where(CHANGE.c.tailnet == tailnet, CHANGE.c.seq.between(numbers[0], numbers[-1]))
    return [dict(row) for row in connection.execute(query.order_by(CHANGE.c.seq)).mappings()] == list(entries)


def read_changes(connection: Connection, tailnet: int, after: int) -> Sequence[Change]:
    """The changes numbered above `after`, with the rows as this transaction sees them."""
    query = select(CHANGE).where(CHANGE.c.tailnet == tailnet, CHANGE.c.seq > after).order_by(CHANGE.c.seq)
    entries = connection.execute(query).all()
    if (entries[0].seq if entries else last_seq(connection, tailnet) + 1) > after + 1:
        raise LogTrimmedError(f"the change log of tailnet {tailnet} no longer reaches back to {after}: load it anew")
    found = _read_rows(connection, tailnet, entries)
    return [_change(row, found) for row in entries]


def _read_rows(connection: Connection, tailnet: int, entries: Sequence[Row[Any]]) -> dict[tuple[str, int], Record]:
    wanted: dict[str, set[int]] = {}
    for row in entries:
        for table, ids in row.puts.items():
            wanted.setdefault(table, set()).update(ids)
    found: dict[tuple[str, int], Record] = {}
    for table, ids in wanted.items():
        if table not in KINDS:
            continue  # a newer replica's
        ordered = sorted(ids)
        for start in range(0, len(ordered), IDS_AT_ONCE):
            for record in rows.read_tailnet(connection, KINDS[table], tailnet, ordered[start : start + IDS_AT_ONCE]):
                found[table, record.id] = record
    return found


def _change(row: Row[Any], found: dict[tuple[str, int], Record]) -> Change:
    keys = ((kind.table, i) for kind in RECORDS for i in row.puts.get(kind.table, ()))
    return Change(
        tailnet=row.tailnet,
        kind=row.kind,
        puts=tuple(found[key] for key in keys if key in found),
        deletes=tuple((table, record_id) for table, ids in row.deletes.items() if table in KINDS for record_id in ids),
        actor=row.actor,
        at=row.at,
        seq=row.seq,
    )


def _by_table(keys: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for table, record_id in keys:
        ids.setdefault(table, []).append(record_id)
    return ids
