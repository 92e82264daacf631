"""The file of extra DNS records: `[{"name": "printer.corp", "type": "A", "value": "192.168.1.9"}, …]`."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError

from hatsize.server.settings_dns import ExtraRecord
from hatsize.server.settings_problems import dotted
from hatsize.wire.tailcfg import DNSRecord

log = logging.getLogger(__name__)

RECORDS = TypeAdapter(tuple[ExtraRecord, ...])
ADDRESSES = frozenset({"A", "AAAA"})
"""Types that clients tell by the value."""


class RecordsFileError(Exception):
    """The file cannot be used; the message names it and says why."""


class RecordsFile:
    """Hands on the records of a file. One that is refused leaves the former records as they are."""

    def __init__(self, path: Path, take: Callable[[Sequence[DNSRecord]], None]) -> None:
        self.path = path
        self._take = take

    async def load(self) -> None:
        """Take the records as they stand in the file; raises RecordsFileError."""
        self._take(await to_thread.run_sync(read, self.path))

    async def reload(self) -> None:
        """The same when the server runs: what fails is logged."""
        try:
            await self.load()
        except RecordsFileError as error:
            log.error("the former DNS records stay in force: %s", error)  # noqa: TRY400 - a fault of the file
        else:
            log.info("the DNS records of %s are in force", self.path)


def read(path: Path) -> Sequence[DNSRecord]:
    """A file's records; raises RecordsFileError."""
    try:
        return wire_records(RECORDS.validate_python(json.loads(path.read_bytes())))
    except OSError as error:
        raise RecordsFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecordsFileError(f"{path} {_fault(error)}") from error


def wire_records(records: Sequence[ExtraRecord]) -> Sequence[DNSRecord]:
    """Records as clients are told them."""
    return tuple(
        DNSRecord(Name=record.name, Type="" if record.type in ADDRESSES else record.type, Value=record.value)
        for record in records
    )


def _fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"is not JSON: {error}"
    first = error.errors(include_url=False)[0]
    where = dotted(first["loc"])
    return f"is no list of records: {where}{': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
