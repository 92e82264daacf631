"""Finding the answer to a question in the zones (RFC 1034, 4.3.2; RFC 4592; RFC 6672; RFC 8482)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.name
import dns.rdata
import dns.rdataset
import dns.rrset
from dns.name import Name
from dns.rcode import NOERROR, NXDOMAIN, REFUSED, YXDOMAIN, Rcode
from dns.rdataclass import IN
from dns.rdataset import Rdataset
from dns.rdatatype import AAAA, ANY, CNAME, DNAME, DS, HINFO, NS, A, RdataType
from dns.rrset import RRset

from hatsize_dns.asker import Asker
from hatsize_dns.layers import Sets
from hatsize_dns.zone import Catalogue, Zone

ANYTHING = dns.name.Name((b"*",))
MOST_ALIASES = 8
"""How many aliases are followed in one answer."""


@dataclass
class Answer:
    """What a response says."""

    rcode: Rcode = NOERROR
    authoritative: bool = True
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)


def answer_to(catalogue: Catalogue, name: Name, rdtype: RdataType, asker: Asker) -> Answer:
    """The answer to one question; REFUSED for a name of no zone."""
    answer = Answer()
    asked = name
    for _ in range(MOST_ALIASES):
        zone = catalogue.zone_of(asked, asker)
        if zone is None:
            if not answer.answer:
                answer.rcode, answer.authoritative = REFUSED, False
            return answer
        target = _step(answer, zone, asked, rdtype, asker)
        if target is None:
            return answer
        asked = target
    return answer


def _step(answer: Answer, zone: Zone, name: Name, rdtype: RdataType, asker: Asker) -> Name | None:
    """Add what one zone says of a name; the name to go on with, where it is an alias."""
    sets: Sets | None = None
    for place, found in _path(zone, name, asker):
        sets = found
        if sets is None:
            sets = zone.at(ANYTHING.concatenate(place.parent()), asker)
            break
        if NS in sets and place != zone.origin and not (rdtype == DS and place == name):
            _refer(answer, zone, place, sets[NS], asker)
            return None
        if DNAME in sets and place != name:
            return _redirect(answer, place, sets[DNAME], name)
    if sets is None:
        answer.rcode = NXDOMAIN
    elif CNAME in sets and rdtype not in {CNAME, ANY}:
        answer.answer.append(_rrset(name, sets[CNAME]))
        target: Name = sets[CNAME][0].target
        return target
    elif rdtype == ANY and sets:
        answer.answer.append(_minimal(name))
        return None
    elif rdtype in sets:
        answer.answer.append(_rrset(name, sets[rdtype]))
        return None
    answer.authority.append(_rrset(zone.origin, zone.soa(asker)))
    return None


def _path(zone: Zone, name: Name, asker: Asker) -> Iterator[tuple[Name, Sets | None]]:
    """The names from the zone's top down to one in it, each with its records; the first that is not there ends it."""
    for depth in range(len(zone.origin.labels), len(name.labels) + 1):
        place = name.split(depth)[1]
        sets = zone.at(place, asker)
        yield place, sets
        if sets is None:
            return


def _refer(answer: Answer, zone: Zone, place: Name, servers: Rdataset, asker: Asker) -> None:
    """Name the servers of a delegated zone, with the addresses that we know of them."""
    answer.authoritative = bool(answer.answer)
    answer.authority.append(_rrset(place, servers))
    for server in servers:
        if server.target.is_subdomain(zone.origin):
            glue = zone.at(server.target, asker) or {}
            answer.additional += [_rrset(server.target, glue[each]) for each in (A, AAAA) if each in glue]


def _redirect(answer: Answer, place: Name, renamed: Rdataset, name: Name) -> Name | None:
    """Follow a renamed subtree; YXDOMAIN for a name that would become too long."""
    answer.answer.append(_rrset(place, renamed))
    try:
        target: Name = name.relativize(place).concatenate(renamed[0].target)
    except dns.name.NameTooLong:
        answer.rcode = YXDOMAIN
        return None
    alias = dns.rdata.from_text(IN, CNAME, target.to_text())
    answer.answer.append(_rrset(name, dns.rdataset.from_rdata(renamed.ttl, alias)))
    return target


def _minimal(name: Name) -> RRset:
    """What somebody is told who wants everything."""
    told = dns.rdata.from_text(IN, HINFO, '"RFC8482" ""')
    return _rrset(name, dns.rdataset.from_rdata(3600, told))


def _rrset(name: Name, rdataset: Rdataset) -> RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
