"""What has changed in a storage whose log no longer tells: everything, compared."""

from collections.abc import Iterator
from datetime import datetime

from hatsize.hooks.storage import Snapshot
from hatsize.tailnet.model import (
    RECORDS,
    AuditEvent,
    Change,
    Credential,
    DnsRecord,
    DnsSettings,
    Node,
    PendingLogin,
    PluginItem,
    PolicyVersion,
    Record,
    Service,
    Share,
    Tailnet,
    User,
)
from hatsize.tailnet.state import State

KIND: dict[type[Record], str] = {
    Tailnet: "tailnet.updated",
    User: "user.updated",
    Node: "node.updated",
    Credential: "credential.updated",
    PolicyVersion: "policy.saved",
    DnsSettings: "dns.updated",
    DnsRecord: "dns.updated",
    Share: "share.updated",
    Service: "service.updated",
    PendingLogin: "login.decided",
    AuditEvent: "tailnet.updated",
    PluginItem: "plugin.item_set",
}
"""What a difference in a table is told as."""
ACTOR = "storage"


def differences(state: State, stored: Snapshot, now: datetime) -> Iterator[Change]:
    """The changes that make of a state what is stored, one for each table that differs. They have no numbers."""
    rows = {(record.table, record.id): record for record in stored.records}
    for kind in RECORDS:
        former = state.table(kind)
        puts = tuple(row for (table, _), row in rows.items() if table == kind.table and former.get(row.id) != row)
        gone = tuple((kind.table, row_id) for row_id in former if (kind.table, row_id) not in rows)
        if puts or gone:
            yield Change(tailnet=state.tailnet_id, kind=KIND[kind], puts=puts, deletes=gone, actor=ACTOR, at=now)
