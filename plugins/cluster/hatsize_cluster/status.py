"""What the database says of the replicas."""

import time

import msgspec
from psycopg import Connection

from hatsize_cluster.database import Row
from hatsize_cluster.others import Member
from hatsize_cluster.tether import MEMBERS, member

A_MOMENT = 0.3


class Found(msgspec.Struct, frozen=True, rename="camel"):
    """One replica."""

    id: str
    name: str
    state: str
    """`serving`, `draining`, `leaving`, or `lost` when its lease is over."""
    version: str
    epoch: int
    draining: bool
    lease_left: float
    """Seconds."""
    seq: int
    lag: int
    """How many changes it has not read that another one has."""
    nodes: int
    """How many count as connected to it."""
    sessions: int
    """How many map streams are open."""
    relay: str
    linked: int
    """Mesh links to other relays that stand."""
    relays: int
    """Other relays there are."""
    duties: list[str]


class Status(msgspec.Struct, frozen=True):
    """All of them."""

    seq: int
    """The number of the last change."""
    replicas: list[Found]


def have_them_tell(connection: Connection[Row]) -> None:
    """Ask all replicas to say how they are, and give them a moment."""
    connection.execute("SELECT pg_notify('hatsize_cluster_' || 'cluster_replica'::regclass::oid::bigint, '{}')")
    time.sleep(A_MOMENT)


def read_status(connection: Connection[Row]) -> Status:
    """What they said."""
    rows = connection.execute(MEMBERS + b" ORDER BY name, epoch").fetchall()
    counts = connection.execute("SELECT epoch, count(*) FROM cluster_presence GROUP BY epoch").fetchall()
    members = [member(row) for row in rows]
    nodes: dict[int, int] = dict(counts)
    newest = {each.id: each.epoch for each in sorted(members, key=lambda each: each.epoch)}
    shown = [each for each in members if each.left > 0 or newest[each.id] == each.epoch]
    relays = sum(each.left > 0 and each.told.relay is not None for each in shown)
    seq = max((each.told.seq for each in members), default=0)
    return Status(seq, [_found(each, seq, nodes.get(each.epoch, 0), relays) for each in shown])


def _found(each: Member, seq: int, nodes: int, relays: int) -> Found:
    relay = each.told.relay
    return Found(
        id=each.id,
        name=each.name,
        state=_state(each),
        version=each.version,
        epoch=each.epoch,
        draining=each.draining,
        lease_left=round(each.left, 1),
        seq=each.told.seq,
        lag=max(seq - each.told.seq, 0),
        nodes=nodes,
        sessions=each.told.sessions,
        relay=f"{relay.host}:{relay.port}" if relay else "",
        linked=len(each.told.links),
        relays=relays - (relay is not None and each.left > 0),
        duties=each.told.duties,
    )


def _state(each: Member) -> str:
    if each.left <= 0:
        return "lost"
    if each.told.leaving:
        return "leaving"
    return "draining" if each.draining else "serving"
