"""The text forms of times, addresses and keys as Go writes them, read into one canonical form.

Each function takes the JSON string and raises ValueError saying what was expected. Source: protocol fact sheet, 0.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hatsize.wire.keys import DiscoKey, MachineKey, NodeKey, parse_disco_key, parse_machine_key, parse_node_key

TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, any number of fraction digits


def read_time(text: str) -> datetime | None:
    """An RFC 3339 time in UTC, cut to microseconds; None for Go's zero time, whatever its zone."""
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError("expected an RFC 3339 time")
    date, clock, fraction, zone = match.groups()
    if date <= "0001-01-01":
        return None
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{zone.upper().replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected an RFC 3339 time") from None
    return moment + timedelta(microseconds=int((fraction or "")[:6].ljust(6, "0")))


def read_addr(text: str) -> str:
    return str(_address(text)) if text else ""


def read_prefix(text: str) -> str:
    if not text:
        return ""
    address, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or len(bits) > 3 or "%" in address:
        raise ValueError("expected an IP prefix")
    _address(address)
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError("expected an IP prefix") from None


def read_addr_port(text: str) -> str:
    if not text:
        return ""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        raise ValueError("expected an address and port")
    bracketed = host.startswith("[") and host.endswith("]")
    address = _address(host[1:-1] if bracketed else host)
    if bracketed != (address.version == 6):
        raise ValueError("expected an address and port")
    return f"[{address}]:{int(port)}" if bracketed else f"{address}:{int(port)}"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("expected an IP address") from None


FORMS: dict[object, Callable[[str], object]] = {
    "addr": read_addr,
    "prefix": read_prefix,
    "addrport": read_addr_port,
    datetime: read_time,
    MachineKey: parse_machine_key,
    NodeKey: parse_node_key,
    DiscoKey: parse_disco_key,
}
"""How a field's string is read, by the field's type or the name of its form."""
