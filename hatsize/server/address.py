"""By which address clients reach this server, where the settings do not say."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from hatsize.server.settings import Settings

ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Documentation addresses: asking which of our addresses would be used towards them sends nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients find the server."""

    url: str
    """With the scheme, without a trailing slash."""
    host: str
    """A name, or an address without brackets."""
    port: int

    @property
    def ipv4(self) -> str:
        """The host, if it is an IPv4 address."""
        return self.host if _version(self.host) == 4 else ""

    @property
    def ipv6(self) -> str:
        return self.host if _version(self.host) == 6 else ""


def place_of(settings: Settings) -> Place:
    """The configured `server_url`, or one made from the name of the certificate, or the address that is listened on."""
    if settings.server_url:
        url = settings.server_url.rstrip("/")
        parts = urlsplit(url)
        return Place(url, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    if settings.tls.acme.domains:
        return Place(f"https://{settings.tls.acme.domains[0]}", settings.tls.acme.domains[0], 443)
    first = settings.listen[0]
    host = reached_by(first.host)
    scheme = "https" if settings.tls.cert_file else "http"
    shown = f"[{host}]" if ":" in host else host
    return Place(f"{scheme}://{shown}:{first.port}", host, first.port)


def reached_by(listened_on: str) -> str:
    """The address by which whoever listens on one is reached: that one, or the machine's where it is every one."""
    return own_address() if ipaddress.ip_address(listened_on).is_unspecified else listened_on


def own_address() -> str:
    """The machine's address towards the outside, or loopback where there is no outside."""
    for family, elsewhere in ELSEWHERE.items():
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
            except OSError:
                continue
            return str(probe.getsockname()[0])
    return "127.0.0.1"


def _version(host: str) -> int:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 0
