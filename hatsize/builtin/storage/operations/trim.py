"""The change log cut short: replicas read it within seconds, what happened is told by the audit log."""

from datetime import datetime

from sqlalchemy import delete, func, select

from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.schema import CHANGE


def trim(database: Database, before: datetime) -> int:
    """Forget the changes of all tailnets from before a time, but for each one's last; how many were forgotten."""
    forgotten = 0
    with database.writing() as connection:
        ends = select(CHANGE.c.tailnet, func.max(CHANGE.c.seq)).group_by(CHANGE.c.tailnet)
        for tailnet, last in connection.execute(ends).all():
            of_tailnet = CHANGE.c.tailnet == tailnet
            recent = select(func.min(CHANGE.c.seq)).where(of_tailnet, CHANGE.c.at >= before)
            first_kept = connection.scalar(recent) or last
            forgotten += connection.execute(delete(CHANGE).where(of_tailnet, CHANGE.c.seq < first_kept)).rowcount
    return forgotten
