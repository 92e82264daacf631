"""Whether the change log holds together, and with the tables: what it put is there, what it deleted is gone."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from hatsize.builtin.storage.schema import CHANGE, COUNTER, SEQ, TABLES

ENTRIES_AT_ONCE = 500


def check_log(connection: Connection, tailnet: int) -> Iterator[str]:
    """What is wrong with a tailnet's log. It may begin late, but goes on to the number last given out."""
    query = select(func.count(), func.min(CHANGE.c.seq), func.max(CHANGE.c.seq)).where(CHANGE.c.tailnet == tailnet)
    count, first, last = connection.execute(query).one()
    given = counters(connection, tailnet).get(SEQ, 0)
    if not count:
        if given:
            yield f"the log is empty, but the last number given out is {given}"
        return
    if last - first + 1 != count:
        yield f"the log has {count} changes between {first} and {last}"
    if last != given:
        yield f"the log ends at {last}, but the last number given out is {given}"
    yield from _against_tables(connection, tailnet, whole=first == 1)


def counters(connection: Connection, tailnet: int) -> dict[str, int]:
    """The highest number given out, by name."""
    query = select(COUNTER.c.name, COUNTER.c.last).where(COUNTER.c.tailnet == tailnet)
    return {row.name: row.last for row in connection.execute(query)}


def _against_tables(connection: Connection, tailnet: int, *, whole: bool) -> Iterator[str]:
    """A log that is `whole`, from the first change on, also tells where each row comes from."""
    told = _replay(connection, tailnet)
    for name, table in TABLES.items():
        alive = told.get(name, {})
        there = set(connection.scalars(select(table.c.id).where(table.c.tailnet == tailnet)))
        for row in sorted(i for i, lives in alive.items() if lives and i not in there):
            yield f"{name} {row} is in the log, but not there"
        for row in sorted(i for i in there if not alive.get(i, not whole)):
            yield f"{name} {row} is there, but the log {'deleted it' if row in alive else 'never put it'}"


def _replay(connection: Connection, tailnet: int) -> dict[str, dict[int, bool]]:
    """Of each row that the log names, by table and id, whether it lives after all changes."""
    query = select(CHANGE.c.puts, CHANGE.c.deletes).where(CHANGE.c.tailnet == tailnet).order_by(CHANGE.c.seq)
    alive: dict[str, dict[int, bool]] = {}
    with connection.execute(query, execution_options={"yield_per": ENTRIES_AT_ONCE}) as entries:
        for puts, deletes in entries:
            for ids_by_table, lives in ((deletes, False), (puts, True)):
                for table, ids in ids_by_table.items():
                    alive.setdefault(table, {}).update(dict.fromkeys(ids, lives))
    return alive
