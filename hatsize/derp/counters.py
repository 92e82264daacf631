"""What the relay counts, ready for whoever publishes metrics."""

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import StrEnum


class Drop(StrEnum):
    """Why a packet was not delivered."""

    UNKNOWN = "unknown_dest"
    UNKNOWN_FORWARDED = "unknown_dest_on_fwd"
    QUEUE_FULL = "queue_full"
    MESH_QUEUE_FULL = "mesh_queue_full"


@dataclass(slots=True)
class Counters:
    """Totals since the start, but for the gauges `clients`, `homes`, `duplicate_keys`, `watchers` and `mesh_peers`."""

    packets_received: int = 0
    bytes_received: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    packets_forwarded_in: int = 0
    packets_forwarded_out: int = 0
    packets_dropped: Counter[Drop] = field(default_factory=Counter)
    bytes_dropped: Counter[Drop] = field(default_factory=Counter)
    accepts: int = 0
    refused: int = 0
    """Connections that failed their handshake or their admission."""
    clients: int = 0
    """Open connections."""
    homes: int = 0
    """Connections that call this relay their home."""
    duplicate_keys: int = 0
    """Node keys that are connected more than once."""
    watchers: int = 0
    """Relays that follow who is connected here."""
    mesh_peers: int = 0
    """Node keys known to be connected to another relay of the region."""
    pings: int = 0
    peer_gone_disconnected: int = 0
    peer_gone_not_here: int = 0
    unknown_frames: int = 0
    frame_errors: int = 0
    write_timeouts: int = 0
    idle_timeouts: int = 0
    rate_limited: int = 0
    evicted: int = 0

    def drop(self, reason: Drop, packets: int, size: int) -> None:
        self.packets_dropped[reason] += packets
        self.bytes_dropped[reason] += size

    def snapshot(self) -> dict[str, int | dict[str, int]]:
        """All values by name; those by reason as a mapping."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}
