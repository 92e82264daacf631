"""Addresses with ports, as settings have them."""

from ipaddress import ip_address
from typing import NamedTuple


class Place(NamedTuple):
    """An address and a port; written `192.0.2.1:53` and `[2001:db8::1]:53`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place(text: str, port: int | None = None) -> Place:
    """An address with a port; where `port` is given, without one too. ValueError with the mend."""
    try:
        if port is not None and (alone := _alone(text)):
            return Place(alone, port)
        host, _, number = text.rpartition(":")
        return Place(str(ip_address(host.removeprefix("[").removesuffix("]"))), _number(number))
    except ValueError:
        raise ValueError(f"{text!r} is not an address and port; give one such as 192.0.2.1:53") from None


def _alone(text: str) -> str:
    try:
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(text)
    return int(text)
