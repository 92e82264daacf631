"""Ports and protocols as a policy writes them."""

from dataclasses import dataclass

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipv4": 4, "ip-in-ip": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "gre": 47, "esp": 50,
    "ah": 51, "ipv6-icmp": 58, "sctp": 132, "fc": 133,
}  # fmt: skip
WITH_PORTS = frozenset({6, 17, 132})
DEFAULT = (6, 17, 1, 58)
"""The protocols of a rule that names none."""


@dataclass(frozen=True)
class Ports:
    """An inclusive range of ports."""

    first: int = 0
    last: int = 65535

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last


ALL = Ports()


def read_ports(text: str) -> tuple[Ports, ...]:
    """`*`, `22`, `80-443` or several of them with commas. Raises ValueError with the service's text."""
    return tuple(_range(part.strip()) for part in text.split(","))


def _range(text: str) -> Ports:
    if text == "*":
        return ALL
    low, dash, high = text.partition("-")
    first = _integer(low, text, "first")
    last = _integer(high, text, "last") if dash else first
    if first == 0:
        raise ValueError(f"port range \"{text}\": first port must be >0, or use '*' for wildcard")
    if last < first:
        raise ValueError(f'port range "{text}": first port must not be above the last')
    return Ports(first, last)


def _integer(digits: str, text: str, which: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise ValueError(f'port range "{text}": invalid {which} integer')
    return int(digits)


def read_protocol(text: str) -> int:
    """A name or a number from 1 to 255. Raises ValueError."""
    name = text.strip().lower()
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if name.isascii() and name.isdigit() and len(name) <= 3 and not name.startswith("0") and int(name) <= 255:
        return int(name)
    raise ValueError(f'unknown protocol "{text}"')


@dataclass(frozen=True)
class Service:
    """One entry of a grant's `ip`: protocols (none: the default ones) and their ports."""

    protocols: tuple[int, ...]
    ports: Ports


def read_service(text: str) -> tuple[Service, ...]:
    """`*`, `443`, `8000-8999`, `tcp:443`, `icmp:*`. Raises ValueError with the service's text."""
    proto, colon, ports = text.strip().partition(":")
    if not colon:
        return tuple(Service((), part) for part in read_ports(proto))
    number = read_protocol(proto)
    found = read_ports(ports)
    check_ports(number, found, proto)
    return tuple(Service((number,), part) for part in found)


def check_ports(protocol: int, ports: tuple[Ports, ...], name: str) -> None:
    """Only TCP, UDP and SCTP have ports to choose from. Raises ValueError otherwise."""
    if protocol not in WITH_PORTS and any(part != ALL for part in ports):
        raise ValueError(f"protocol \"{name}\" has no ports: only '*' is possible")
