"""Asking name servers whether they have a record."""

from collections.abc import Sequence

import anyio
import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.message
from dns.rdatatype import TXT

from hatsize.hooks.dns import PublishError
from hatsize_dns.addresses import Place
from hatsize_dns.names import absolute

ASK_EVERY = 0.5
PATIENCE = 40.0
"""Seconds in which all servers must have a record."""
TRY = 2.0
"""Seconds in which one question must be answered."""
ASYNCIO = dns.asyncbackend.get_backend("asyncio")


async def until_seen(places: Sequence[Place], name: str, value: str) -> None:
    """Return once each of the name servers has the TXT record; PublishError names one that has not."""
    deadline = anyio.current_time() + PATIENCE
    waiting = list(places)
    while waiting := [place for place in waiting if not await has(place, name, value)]:
        if anyio.current_time() > deadline:
            raise PublishError(f"{name} was published, but the name server {waiting[0]} does not show it")
        await anyio.sleep(ASK_EVERY)


async def has(place: Place, name: str, value: str) -> bool:
    """Whether a name server has the TXT record."""
    query = dns.message.make_query(absolute(name), TXT)
    try:
        answer = await dns.asyncquery.tcp(query, place.host, TRY, place.port, backend=ASYNCIO)
    except (dns.exception.DNSException, OSError, EOFError):
        return False
    return any(value.encode() in rdata.strings for rrset in answer.answer if rrset.rdtype == TXT for rdata in rrset)
