"""Zone files (RFC 1035, 5), read again whenever they change."""

import logging
from collections.abc import Callable
from pathlib import Path

import anyio
import dns.exception
import dns.zone
from anyio import to_thread
from dns.name import Name
from dns.rdatatype import NONE

from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer, Sets

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between looks. A file that changed is read when two looks in a row found the same."""
Stamp = tuple[int, int, int] | None


class ZoneFileError(Exception):
    """A file that cannot be used; the message names it and says why."""


class ZoneFile:
    """The records of a zone file, as they were when it was last whole."""

    def __init__(self, path: Path, origin: Name, changed: Callable[[], None]) -> None:
        """`changed` is called when other records are in force. Raises ZoneFileError."""
        self._path = path
        self._origin = origin
        self._changed = changed
        self._stamp = stamp(path)
        self._layer = read(path, origin)

    def at(self, name: Name, asker: Asker) -> Sets | None:
        return self._layer.at(name, asker)

    async def follow(self) -> None:
        """Read the file again whenever it has changed, until cancelled."""
        former = self._stamp
        while True:
            await anyio.sleep(LOOK_EVERY)
            seen = await to_thread.run_sync(stamp, self._path)
            if seen == former and seen != self._stamp:
                self._stamp = seen
                await self._reload()
            former = seen

    async def _reload(self) -> None:
        try:
            self._layer = await to_thread.run_sync(read, self._path, self._origin)
        except ZoneFileError as error:
            log.error("the former records stay in force: %s", error)  # noqa: TRY400 - a fault of the file
        else:
            log.info("%s has %d records", self._path, len(self._layer))
            self._changed()


def read(path: Path, origin: Name) -> FixedLayer:
    """A file's records; raises ZoneFileError. $INCLUDE is not followed, and signatures are left out."""
    try:
        with path.open(encoding="utf-8") as text:
            zone = dns.zone.from_file(
                text, origin, relativize=False, filename="line", allow_include=False, check_origin=False
            )
    except OSError as error:
        raise ZoneFileError(f"{path} cannot be read: {error.strerror or error}") from None
    except (dns.exception.DNSException, ValueError, KeyError) as error:
        raise ZoneFileError(f"{path} is not a zone file of {origin}: {error}") from None
    return FixedLayer(
        (name, rdataset.ttl, rdata)
        for name, rdataset in zone.iterate_rdatasets()
        if rdataset.covers == NONE
        for rdata in rdataset
    )


def stamp(path: Path) -> Stamp:
    """What tells one state of a file from another: modification time, inode, size; None for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
