"""The forms of names, resolvers and records that DNS settings are made of; what is wrong is said in words."""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from hatsize.tailnet.dns import WITH_EXIT_NODE
from hatsize.tailnet.errors import InvalidError

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
DOH = "https://"
OWN_RESOLVERS = frozenset({"100.100.100.100", "fd7a:115c:a1e0::53"})
"""The addresses at which clients answer themselves."""
KNOWN_DOH = (
    "https://dns.nextdns.io/", "https://dns.controld.com/", "https://freedns.controld.com/",
    "https://cloudflare-dns.com/", "https://security.cloudflare-dns.com/", "https://family.cloudflare-dns.com/",
    "https://dns.google/", "https://dns.quad9.net/", "https://dns10.quad9.net/", "https://dns11.quad9.net/",
    "https://dns.mullvad.net/", "https://adblock.dns.mullvad.net/", "https://base.dns.mullvad.net/",
    "https://extended.dns.mullvad.net/", "https://family.dns.mullvad.net/", "https://all.dns.mullvad.net/",
    "https://wikimedia-dns.org/", "https://private.canadianshield.cira.ca/",
    "https://protected.canadianshield.cira.ca/", "https://family.canadianshield.cira.ca/",
)  # fmt: skip
"""The services whose addresses clients up to 1.102 know (tailscale's `publicdns`); they ask no other over HTTPS."""
LONGEST_TEXT = 4000


def checked_domain(text: str) -> str:
    """A domain in lower case, without the dot at the end; raises InvalidError."""
    name = text.strip().rstrip(".").lower()
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise InvalidError(f"{text!r} is not a domain name: give one such as corp.example.com")
    return name


def checked_resolver(text: str) -> str:
    """A resolver as settings write it; raises InvalidError."""
    given = text.strip()
    resolver = given.removesuffix(WITH_EXIT_NODE)
    if resolver.startswith(DOH):
        _check_doh(resolver)
        return given
    address = _address_of(resolver)
    if address is None:
        raise InvalidError(
            f"{text!r} is not a resolver: give an address such as 9.9.9.9, with a port as 10.0.0.53:5353, "
            f"or the https:// URL of DNS over HTTPS; {WITH_EXIT_NODE} may stand behind it"
        )
    if str(address) in OWN_RESOLVERS:
        raise InvalidError(f"{text!r} is where clients answer themselves, so they would ask in a circle: give another")
    if address.is_unspecified or address.is_multicast:
        raise InvalidError(f"{text!r} is the address of no machine: give the resolver's own")
    return given


def resolver_warning(resolver: str) -> str | None:
    """What is to be known of a resolver that clients may not ask."""
    if not resolver.startswith(DOH) or any(resolver.startswith(known) for known in KNOWN_DOH):
        return None
    host = urlsplit(resolver).hostname
    return f"{resolver}: clients up to 1.102 do not ask {host} over HTTPS, only services they know; give an address"


def checked_record(name: str, kind: str, value: str) -> tuple[str, str, str]:
    """A record's name, type and value in canonical form; raises InvalidError."""
    kind = kind.strip().upper()
    if kind not in VALUES:
        raise InvalidError(f"{kind!r} is not a type of records: give one of {', '.join(VALUES)}")
    wildcard = "*." if name.startswith("*.") else ""
    checked = wildcard + checked_domain(name.removeprefix("*."))
    if "." not in checked:
        raise InvalidError(f"{name!r} is a single label: give the whole name, with its domain")
    found = checked_value(kind, value)
    if kind == "CNAME" and found == checked:
        raise InvalidError(f"{name!r} would be an alias of itself: give another name as the value")
    return checked, kind, found


def checked_value(kind: str, value: str) -> str:
    """The value of a record of a known type in canonical form; raises InvalidError."""
    return VALUES[kind](value.strip())


def _check_doh(resolver: str) -> None:
    try:
        parts = urlsplit(resolver)
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or parts.username or "#" in resolver or any(letter.isspace() for letter in resolver):
        raise InvalidError(
            f"{resolver!r} is not a URL of DNS over HTTPS: give one such as https://dns.nextdns.io/abc123"
        )


def _address_of(resolver: str) -> IPv4Address | IPv6Address | None:
    """The address in `1.2.3.4`, `::1`, `1.2.3.4:53` or `[::1]:53`."""
    host, port = resolver, "53"
    if resolver.startswith("[") or resolver.count(":") == 1:
        host, _, port = resolver.rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ip_address(host)
    except ValueError:
        return None
    zoned = isinstance(address, IPv6Address) and address.scope_id
    return address if port.isascii() and port.isdigit() and 0 < int(port) < 65536 and not zoned else None


def _ipv4(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except ValueError:
        raise InvalidError(f"{value!r} is not an IPv4 address, which an A record needs") from None


def _ipv6(value: str) -> str:
    try:
        return str(IPv6Address(value))
    except ValueError:
        raise InvalidError(f"{value!r} is not an IPv6 address, which an AAAA record needs") from None


def _text(value: str) -> str:
    if not 0 < len(value.encode()) <= LONGEST_TEXT or not value.isprintable():
        raise InvalidError(f"a TXT record needs a text of 1 to {LONGEST_TEXT} printable characters")
    return value


def _server(value: str) -> str:
    fields = value.split()
    if len(fields) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 65536 for part in fields[:3]):
        raise InvalidError(
            f"{value!r} is not the value of an SRV record: give priority, weight, port and target, "
            'as "10 5 5060 sip.example.com"'
        )
    target = fields[3] if fields[3] == "." else checked_domain(fields[3])
    return " ".join([*(str(int(part)) for part in fields[:3]), target])


VALUES: Mapping[str, Callable[[str], str]] = {
    "A": _ipv4, "AAAA": _ipv6, "CNAME": checked_domain, "TXT": _text, "SRV": _server,
}  # fmt: skip
"""The types a record may have, each with what checks its value."""
