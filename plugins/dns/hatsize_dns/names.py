"""Domain names in settings and records, as dnspython has them."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

import dns.exception
import dns.name
from dns.name import Name

IN_ADDR = dns.name.from_text("in-addr.arpa.")
IP6 = dns.name.from_text("ip6.arpa.")
MOST_ZONES = 256
"""Reverse zones that one prefix may stand for."""


def absolute(text: str) -> Name:
    """A name from its text, with or without the dot at the end; ValueError where it is none."""
    try:
        return dns.name.from_text(text).canonicalize()
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"{text!r} is not a domain name") from None


def plain(name: Name) -> str:
    """A name's text, in lower case and without the dot at the end."""
    return name.to_text(omit_final_dot=True).lower()


def is_reverse(name: Name) -> bool:
    """Whether a name is one of addresses."""
    return name.is_subdomain(IN_ADDR) or name.is_subdomain(IP6)


def zone_names(text: str) -> list[Name]:
    """The zones that a setting names: a domain, or the reverse zones of a prefix. ValueError with the mend."""
    if "/" in text:
        return list(_of_prefix(text))
    name = absolute(text)
    if len(name.labels) < 3:
        raise ValueError(f"{text!r} is not a domain that can be delegated; give one such as net.example.com")
    return [name]


def _of_prefix(text: str) -> Iterator[Name]:
    try:
        prefix = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a prefix: {error}") from None
    step = 8 if prefix.version == 4 else 4
    digits = -(-prefix.prefixlen // step)
    if digits == 0 or 1 << (digits * step - prefix.prefixlen) > MOST_ZONES:
        raise ValueError(f"{text!r} is too large for reverse zones; give one such as 100.64.0.0/10")
    for subnet in prefix.subnets(new_prefix=digits * step):
        yield _reversed(subnet, digits)


def _reversed(prefix: IPv4Network | IPv6Network, digits: int) -> Name:
    address = prefix.network_address
    if isinstance(prefix, IPv4Network):
        parts, top = str(address).split("."), "in-addr.arpa."
    else:
        parts, top = list(address.exploded.replace(":", "")), "ip6.arpa."
    return dns.name.from_text(".".join([*reversed(parts[:digits]), top]))
