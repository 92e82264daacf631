"""The types of single settings, each with what it refuses and how to mend it."""

import json
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from hatsize.server.settings_values import ListenAddress, format_duration, parse_duration

CGNAT = IPv4Network("100.64.0.0/10")
TAILSCALE_ULA = IPv6Network("fd7a:115c:a1e0::/48")
"""Clients take addresses outside these two for somebody else's."""


class Section(BaseModel):
    """A table of settings: frozen, and with no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


def from_text(value: Any) -> Any:
    """A list or table given as text, as in a variable: JSON, or a list's items with commas between."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith(("[", "{")) and not value.lstrip().startswith("[:"):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return [item.strip() for item in value.split(",") if item.strip()]


def _duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    if isinstance(value, int) and value:
        raise ValueError(f'{value} has no unit; give one such as "30m", "24h" or "90d"')
    return parse_duration(str(value))


def _address(value: Any) -> Any:
    return ListenAddress.parse(value) if isinstance(value, str) else value


def _table(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('is not a table; give JSON such as {"corp.example.com": ["10.0.0.53"]}') from None


def _v4_network(value: str) -> str:
    return _inside(value, CGNAT)


def _v6_network(value: str) -> str:
    return _inside(value, TAILSCALE_ULA)


def _inside(value: str, outer: IPv4Network | IPv6Network) -> str:
    """A prefix within `outer`, in canonical text, or empty."""
    if not value:
        return ""
    try:
        network = ip_network(value)
    except ValueError:
        raise ValueError(f"is not a prefix; give one such as {outer}") from None
    if network.version != outer.version or not network.subnet_of(outer):  # type: ignore[arg-type]
        raise ValueError(f"is not within {outer}, which is all that clients accept; give a prefix of it")
    return str(network)


def _trusted_proxy(value: str) -> str:
    try:
        network = ip_network(value)
    except ValueError:
        raise ValueError("is not an address or prefix; give one such as 127.0.0.1 or 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise ValueError("trusts everybody; give the addresses of your proxies")
    return str(network)


def _server_url(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    try:
        sound = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError("is not a server's URL; give one such as https://hatsize.example.com or http://10.0.0.1:8080")
    return value.rstrip("/")


def domain_name(value: str) -> str:
    """A DNS name in lower case, without the last dot; raises ValueError."""
    name = value.rstrip(".").lower()
    labels = name.split(".")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    if len(name) > 253 or not all(0 < len(label) <= 63 and set(label) <= allowed for label in labels):
        raise ValueError("is not a domain name; give one such as tailnet.example.com")
    return name


def _octal(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value.removeprefix("0o"), 8)
        except ValueError:
            raise ValueError('is not a file mode; give one in octal digits, as "0770"') from None
    return value


Text = Annotated[tuple[str, ...], BeforeValidator(from_text)]
"""A list of texts."""
Paths = Annotated[tuple[Path, ...], BeforeValidator(from_text)]
Listen = Annotated[ListenAddress, BeforeValidator(_address), PlainSerializer(str)]
Listens = Annotated[tuple[Listen, ...], BeforeValidator(from_text)]
Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(format_duration)]
Table = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_table)]
ServerUrl = Annotated[str, AfterValidator(_server_url)]
Domain = Annotated[str, AfterValidator(domain_name)]
Domains = Annotated[tuple[Domain, ...], BeforeValidator(from_text)]
V4Prefix = Annotated[str, AfterValidator(_v4_network)]
V6Prefix = Annotated[str, AfterValidator(_v6_network)]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_trusted_proxy)], ...], BeforeValidator(from_text)]
FileMode = Annotated[int, BeforeValidator(_octal), PlainSerializer(lambda mode: f"{mode:04o}")]
