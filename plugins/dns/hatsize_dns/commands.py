"""`hatsize zones`: what is served and published, as a name server's client sees it."""

import json
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import click
import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.message import Message
from dns.name import Name

from hatsize.hooks.storage import StorageError
from hatsize_dns.addresses import Place
from hatsize_dns.challenges import Challenge, unpacked
from hatsize_dns.names import absolute, plain
from hatsize_dns.settings import Settings

TIMEOUT = 5.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask one that listens there


def zones(settings: Settings, stored: Callable[[], Mapping[str, bytes]]) -> click.Command:
    """The command, for a server with these settings that keeps what `stored` reads."""

    @click.group("zones")
    def group() -> None:
        """Show the zones that this server has, and what is published."""

    @group.command("list")
    @click.option("-o", "--output", type=click.Choice(["json"]), help="For programs.")
    def show(output: str | None) -> None:
        """List the zones and the challenges that are published."""
        rows = [_zone(settings, zone.for_, zone.nodes, origin) for zone in settings.zones for origin in zone.origins]
        published = [
            {"name": each.name, "value": each.value, "publisher": each.publisher, "seconds": int(each.until - time())}
            for each in _published(stored)
        ]
        if output == "json":
            click.echo(json.dumps({"zones": rows, "challenges": published}, indent=2))
            return
        for row in rows:
            click.echo("{zone}  for {for}  nodes {nodes}  {state}".format(**row))
        for each in published:
            click.echo("{name} TXT {value}  by {publisher}, for {seconds} s more".format(**each))

    @group.command("check")
    @click.argument("name")
    @click.argument("rdtype", default="A", metavar="[TYPE]")
    @click.option("--delegation", is_flag=True, help="Ask the world whether the zone is delegated to this server.")
    def check(name: str, rdtype: str, delegation: bool) -> None:
        """Ask this server for a name, by default for its IPv4 addresses."""
        try:
            asked, kind = absolute(name), dns.rdatatype.from_text(rdtype)
        except (ValueError, dns.exception.DNSException) as error:
            raise click.ClickException(f"cannot ask for {name} {rdtype}: {error}") from None
        place = _place(settings)
        answer = _ask(place, asked, kind)
        click.echo(f"{place} answers {dns.rcode.to_text(answer.rcode())}")
        for rrset in (*answer.answer, *answer.authority):
            click.echo(rrset.to_text())
        if delegation:
            click.echo(_delegation(settings, asked))

    return group


def _published(stored: Callable[[], Mapping[str, bytes]]) -> list[Challenge]:
    try:
        return list(unpacked(stored()))
    except StorageError as error:
        raise click.ClickException(f"what is published cannot be read: {error}") from None


def _zone(settings: Settings, clients: tuple[str, ...], nodes: str, origin: Name) -> dict[str, Any]:
    try:
        state = dns.rcode.to_text(_ask(_place(settings), origin, dns.rdatatype.SOA).rcode())
    except click.ClickException as error:
        state = error.message
    return {"zone": plain(origin), "for": ", ".join(clients), "nodes": nodes, "state": state}


def _place(settings: Settings) -> Place:
    """Where to ask this server."""
    if not settings.places:
        raise click.ClickException("no zone is served: set plugins.dns.zones and plugins.dns.listen")
    host, port = settings.places[0]
    return Place(ANYWHERE.get(host, host), port)


def _ask(place: Place, name: Name, rdtype: dns.rdatatype.RdataType) -> Message:
    try:
        return dns.query.tcp(dns.message.make_query(name, rdtype), place.host, TIMEOUT, place.port)
    except OSError as error:
        raise click.ClickException(f"{place} does not answer: {error.strerror or type(error).__name__}") from None
    except (dns.exception.DNSException, EOFError) as error:
        raise click.ClickException(f"{place} does not answer: {str(error) or type(error).__name__}") from None


def _delegation(settings: Settings, name: Name) -> str:
    """Whether the zone of a name is delegated to the configured name servers, in words."""
    origins = [origin for zone in settings.zones for origin in zone.origins if name.is_subdomain(origin)]
    if not origins:
        return f"{plain(name)} is in none of the zones"
    zone = max(origins, key=lambda origin: len(origin.labels))
    try:
        found = {each.target.to_text().lower() for each in dns.resolver.resolve(zone, "NS", lifetime=TIMEOUT)}
    except dns.exception.DNSException as error:
        return f"{zone} is not delegated: {error}"
    missing = sorted({each.lower() for each in settings.nameservers} - found)
    there = ", ".join(sorted(found))
    return f"{zone} is delegated to {there}" + (f"; {', '.join(missing)} is missing" if missing else "")
