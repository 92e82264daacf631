"""DNS records that an administrator keeps in the tailnet."""

from collections.abc import Sequence
from datetime import datetime

from hatsize.tailnet.commands.dns_forms import checked_record
from hatsize.tailnet.errors import AlreadyExistsError, InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Change, DnsRecord
from hatsize.tailnet.state import State

LONGEST_TTL = 2**31 - 1


def add_record(state: State, name: str, kind: str, value: str, now: datetime, *, ttl: int = 0) -> Change:
    """One more record; raises InvalidError, and RefusedError where an alias would stand beside another record."""
    name, kind, value = checked_record(name, kind, value)
    if not 0 <= ttl <= LONGEST_TTL:
        raise InvalidError(f"a time to live of {ttl} seconds is not one: give 0 to {LONGEST_TTL}")
    same_name = [record for record in state.all(DnsRecord) if record.name == name]
    if any((record.type, record.value) == (kind, value) for record in same_name):
        raise AlreadyExistsError(f"the record {name} {kind} {value} is there already")
    alias = next((record for record in same_name if "CNAME" in (kind, record.type)), None)
    if alias is not None:
        raise RefusedError(
            f"{name} has the record {alias.id}, {alias.type} {alias.value}: an alias stands alone, "
            "so remove that one first, or choose another name"
        )
    record = DnsRecord(
        id=state.next_id(DnsRecord), tailnet=state.tailnet_id, name=name, type=kind, value=value, ttl=ttl
    )
    return Change(tailnet=state.tailnet_id, kind="dns.updated", puts=(record,), at=now)


def remove_record(state: State, record_id: int, now: datetime) -> Change:
    """A record goes; raises NotFoundError."""
    if state.find(DnsRecord, record_id) is None:
        raise NotFoundError(f"there is no DNS record {record_id}: see `hatsize dns records list`")
    return Change(tailnet=state.tailnet_id, kind="dns.updated", deletes=((DnsRecord.table, record_id),), at=now)


def dns_records(state: State) -> Sequence[DnsRecord]:
    """The records, by id."""
    return sorted(state.all(DnsRecord), key=lambda record: record.id)
