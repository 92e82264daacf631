"""A commit as a line of JSON, and back; a time up to which the log was forgotten is a line too.

[{"tailnet":1,"kind":"user.created","puts":[["user",{…}]],"deletes":[["user",2]],"actor":"","at":"…","seq":7}, …]
    "2026-01-31T12:00:00Z"
"""

from datetime import datetime

import msgspec

from hatsize.tailnet.model import RECORDS, Change

KINDS = {kind.table: kind for kind in RECORDS}


def encode(changes: list[Change]) -> bytes:
    """One commit, with the line's end."""
    rows = [
        {**msgspec.structs.asdict(change), "puts": [(record.table, record) for record in change.puts]}
        for change in changes
    ]
    return msgspec.json.encode(rows) + b"\n"


def encode_trim(before: datetime) -> bytes:
    """That what is older was forgotten, with the line's end."""
    return msgspec.json.encode(before) + b"\n"


def decode(line: bytes) -> list[Change] | datetime:
    """The changes of one commit, or a time before which the log was forgotten."""
    told = msgspec.json.decode(line)
    if isinstance(told, str):
        return datetime.fromisoformat(told)
    changes = []
    for row in told:
        puts = tuple(msgspec.convert(fields, KINDS[table], strict=False) for table, fields in row.pop("puts"))
        changes.append(msgspec.structs.replace(msgspec.convert(row, Change, strict=False), puts=puts))
    return changes
