"""The text forms of values that settings and flags share: durations, listen addresses. Standard library alone."""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Self

_UNITS = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[ywdhms]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[ywdhms])")


def parse_duration(text: str) -> timedelta:
    """Read `90d`, `1h30m` or `0`; the units are y, w, d, h, m, s and ms. Raises ValueError."""
    text = text.strip()
    if text == "0":
        return timedelta()
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; give one such as 30m, 24h or 90d")
    try:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
    except OverflowError:
        raise ValueError(f"{text!r} is too long a duration; give less than 1000000d") from None


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back, in one unit."""
    milliseconds = round(duration.total_seconds() * 1000)
    for unit in ("d", "h", "m", "s"):
        size = round(_UNITS[unit] * 1000)
        if milliseconds % size == 0 and milliseconds:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address to listen on: an IP address, or none for all of them, and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `0.0.0.0:8080`, `[::]:8080` or `:8080` (all IPv4 addresses); raises ValueError."""
        host, colon, port = text.strip().rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{text!r} is not an address with a port; give one such as 0.0.0.0:8080 or [::]:8080")
        return cls(_host(host, text), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _host(host: str, whole: str) -> str:
    if not host:
        return "0.0.0.0"  # noqa: S104 - asked for
    if host == "localhost":
        return "127.0.0.1"
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        address = None
    if address is None or (address.version == 6) != bracketed:
        raise ValueError(f"{whole!r} does not start with an IP address; give one such as 127.0.0.1:8080 or [::1]:8080")
    return str(address)
