"""The tailnet's own records: those that were made by the API or on the command line."""

import logging
from collections.abc import Iterable, Iterator

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdtypes.ANY.TXT import TXT

from hatsize.hooks.lifecycle import Server
from hatsize.tailnet.model import Change, DnsRecord
from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer, Sets
from hatsize_dns.names import absolute

log = logging.getLogger(__name__)

STRING = 255
"""Octets of one string of a TXT record."""
TTL = 60
"""Of records that have none of their own."""


class OwnRecords:
    """The records of the state, read again after a change of them. One for all zones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._layer: FixedLayer | None = None

    def changed(self) -> None:
        """There may be other records."""
        self._layer = None

    def at(self, name: Name, asker: Asker) -> Sets | None:
        if self._layer is None:
            self._layer = FixedLayer(_readable(self._server.state.all(DnsRecord)))
        return self._layer.at(name, asker)


def concerns_records(change: Change) -> bool:
    """Whether there are other records after a change."""
    tables = {*(record.table for record in change.puts), *(table for table, _ in change.deletes)}
    return DnsRecord.table in tables


def _readable(records: Iterable[DnsRecord]) -> Iterator[tuple[Name, int, Rdata]]:
    for record in records:
        kind = record.type or ("AAAA" if ":" in record.value else "A")
        try:
            yield absolute(record.name), record.ttl or TTL, _rdata(kind, record.value)
        except (dns.exception.DNSException, ValueError) as error:
            log.warning("the record %s %s is not served: %s", record.name, kind, error)


def _rdata(kind: str, value: str) -> Rdata:
    """A record's data. Names in it are whole ones, and a text is as it is, in as many strings as it needs."""
    if kind == "TXT":
        octets = value.encode()
        return TXT(IN, dns.rdatatype.TXT, [octets[place : place + STRING] for place in range(0, len(octets), STRING)])
    return dns.rdata.from_text(IN, kind, value, origin=dns.name.root, relativize=False)
