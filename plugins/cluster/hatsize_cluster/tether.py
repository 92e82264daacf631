"""The statements that make a replica one of several. Every one that writes holds only while the lease does."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection

from hatsize_cluster.database import Row
from hatsize_cluster.others import Member, Told

AT_ONCE = 300
"""How many nodes one notification tells of; PostgreSQL takes 8,000 bytes."""
KEPT = 60.0
"""Seconds for which a replica whose lease is over is shown, so that people see that there was one."""


class LeaseOverError(Exception):
    """The others have taken this replica for dead: it may act only after it has joined anew."""


class Tether:
    """One membership over one connection. The connection's end, or its silence for a lease's time, gives up the duties
    that were claimed by it."""

    def __init__(self, connection: AsyncConnection[Row], channel: str, seconds: float) -> None:
        self.connection = connection
        self.channel = channel
        self.epoch = 0
        """0 as long as nothing was joined."""
        self._seconds = seconds

    async def join(self, replica: tuple[str, str, str], told: Told) -> None:
        """Become a member anew: id, name and version of the replica, and what it tells."""
        cursor = await self.connection.execute(
            "INSERT INTO cluster_replica (id, name, version, until, told)"
            " VALUES (%s, %s, %s, clock_timestamp() + make_interval(secs => %s), %s) RETURNING epoch",
            [*replica, self._seconds, _json(told)],
        )
        self.epoch = (await _one(cursor))[0]

    async def renew(self, told: Told) -> bool:
        """Keep the lease, and tell; whether somebody wants this replica to drain. Raises LeaseOverError."""
        cursor = await self.connection.execute(
            "UPDATE cluster_replica SET until = clock_timestamp() + make_interval(secs => %s), told = %s"
            " WHERE epoch = %s AND until > clock_timestamp() RETURNING draining",
            [self._seconds, _json(told), self.epoch],
        )
        return bool((await _one(cursor))[0])

    async def change(self, came: Sequence[int], left: Sequence[int]) -> None:
        """Nodes came to this replica, others left it. Raises LeaseOverError."""
        for start in range(0, max(len(came), len(left)), AT_ONCE // 2):
            part = slice(start, start + AT_ONCE // 2)
            cursor = await self.connection.execute(
                CHANGE, {"epoch": self.epoch, "channel": self.channel, "came": came[part], "left": left[part]}
            )
            await _one(cursor)

    async def members(self) -> list[Member]:
        """All replicas but this one, after forgetting those that are long dead."""
        await self.connection.execute(
            "DELETE FROM cluster_replica WHERE until < clock_timestamp() - make_interval(secs => %s)", [KEPT]
        )
        cursor = await self.connection.execute(MEMBERS + b" WHERE epoch <> %s ORDER BY epoch", [self.epoch])
        return [member(row) for row in await cursor.fetchall()]

    async def presence(self, epochs: Sequence[int]) -> list[Row]:
        """(epoch, serial, nodes) of each of these."""
        cursor = await self.connection.execute(PRESENCE, [list(epochs)])
        return await cursor.fetchall()

    async def claim(self, duties: Collection[str]) -> list[str]:
        """Claim duties; those that were free are this replica's from now on."""
        claimed = []
        for duty in duties:
            cursor = await self.connection.execute("SELECT pg_try_advisory_lock(%s)", [self._lock(duty)])
            if (await _one(cursor))[0]:
                claimed.append(duty)
        return claimed

    async def give_up(self) -> None:
        """Leave all duties to others."""
        await self.connection.execute("SELECT pg_advisory_unlock_all()")

    async def poke(self) -> None:
        """Have everybody look at what is told."""
        await self.connection.execute("SELECT pg_notify(%s, '{}')", [self.channel])

    async def timeline(self) -> str:
        """What another one means that the database was taken over by a standby."""
        cursor = await self.connection.execute("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
        return str((await _one(cursor))[0])

    def _lock(self, duty: str) -> int:
        """The advisory lock of a duty; the channel tells clusters of one database apart."""
        return int.from_bytes(hashlib.sha256(f"{self.channel} {duty}".encode()).digest()[:8], signed=True)


async def channel_of(connection: AsyncConnection[Row]) -> str:
    """The name of the notifications of the cluster whose tables the connection sees."""
    cursor = await connection.execute("SELECT 'cluster_replica'::regclass::oid::bigint")
    return f"hatsize_cluster_{(await _one(cursor))[0]}"


def member(row: Row) -> Member:
    """A row of MEMBERS."""
    epoch, known_as, name, version, left, draining, serial, told = row
    return Member(epoch, known_as, name, version, left, draining, serial, msgspec.convert(told, Told))


async def _one(cursor: Any) -> Row:
    row: Row | None = await cursor.fetchone()
    if row is None:
        raise LeaseOverError
    return row


def _json(told: Told) -> str:
    return msgspec.json.encode(told).decode()


MEMBERS = (
    b"SELECT epoch, id, name, version, extract(epoch FROM until - clock_timestamp())::float8,"
    b" draining, serial, told FROM cluster_replica"
)
PRESENCE = (
    "SELECT r.epoch, r.serial, coalesce(array_agg(p.node) FILTER (WHERE p.node IS NOT NULL), '{}')"
    " FROM cluster_replica r LEFT JOIN cluster_presence p USING (epoch) WHERE r.epoch = ANY(%s) GROUP BY r.epoch"
)
CHANGE = """
WITH alive AS (
    UPDATE cluster_replica SET serial = serial + 1
    WHERE epoch = %(epoch)s AND until > clock_timestamp() RETURNING epoch, serial
), gone AS (
    DELETE FROM cluster_presence p USING alive WHERE p.epoch = alive.epoch AND p.node = ANY(%(left)s::bigint[])
), arrived AS (
    INSERT INTO cluster_presence SELECT alive.epoch, unnest(%(came)s::bigint[]) FROM alive ON CONFLICT DO NOTHING
)
SELECT pg_notify(%(channel)s, json_build_object(
    'epoch', epoch, 'serial', serial, 'came', %(came)s::bigint[], 'left', %(left)s::bigint[])::text)
FROM alive
"""
"""One statement, so that it all happens while the lease holds or not at all."""
