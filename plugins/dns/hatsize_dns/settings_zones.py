"""What is served: `[[plugins.dns.zones]]` and `[[plugins.dns.pools]]`."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal

from dns.name import Name
from pydantic import BaseModel, ConfigDict, Field, field_validator

from hatsize_dns.names import absolute, zone_names

STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)
MOST_ADDRESSES = 64
CLIENTS = "everybody, tailnet, a user's login name, group:…, tag:…, or a prefix such as 192.0.2.0/24"


class ZoneSettings(BaseModel):
    """One zone, or one view of it: of several with one name, the first whose `for` fits the asker is used."""

    model_config = STRICT

    name: str
    """A domain delegated to this server, or a prefix for its reverse zones."""
    for_: tuple[str, ...] = Field(default=("everybody",), alias="for")
    """Who is answered from it."""
    nodes: Literal["all", "tagged", "peers", "own", "none"] = "peers"
    """Whose names are in it: all nodes, tagged ones, those the asker may see or owns, or none."""
    wildcards: bool = False
    """Whether names below a node's name are the node's."""
    records: bool = True
    """Whether it has the tailnet's own records that are within it."""
    file: Path | None = None
    """A zone file, read again whenever it changes."""
    ttl: int = Field(default=60, ge=0, le=604800)
    nameservers: tuple[str, ...] = ()
    """Instead of those of all zones."""

    @field_validator("name")
    @classmethod
    def _a_zone(cls, name: str) -> str:
        zone_names(name)
        return name

    @field_validator("for_")
    @classmethod
    def _clients(cls, clients: tuple[str, ...]) -> tuple[str, ...]:
        for client in clients:
            if client not in {"everybody", "tailnet"} and "@" not in client and not client.startswith("tag:"):
                _prefix(client)
        return clients

    @property
    def origins(self) -> list[Name]:
        """The zones it stands for: one, or several reverse zones."""
        return zone_names(self.name)


class PoolSettings(BaseModel):
    """A name with several addresses, of which those that fail a check are not told."""

    model_config = STRICT

    name: str
    addresses: tuple[str, ...] = Field(min_length=1, max_length=MOST_ADDRESSES)
    check: str
    """`tcp:443`, or an HTTP request as `http:8080/health`, which must answer below 400."""
    interval: float = Field(default=10.0, ge=1.0, le=3600.0)
    """Seconds between checks."""
    timeout: float = Field(default=3.0, gt=0.0, le=60.0)
    failures: int = Field(default=2, ge=1, le=100)
    """Checks that must fail in a row before an address is left out; one that succeeds brings it back."""
    ttl: int = Field(default=15, ge=0, le=604800)

    @field_validator("name")
    @classmethod
    def _a_name(cls, name: str) -> str:
        return absolute(name).to_text(omit_final_dot=True)

    @field_validator("addresses")
    @classmethod
    def _addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_address(address)) for address in addresses)

    @field_validator("check")
    @classmethod
    def _a_check(cls, check: str) -> str:
        kind, _, rest = check.partition(":")
        port, slash, _ = rest.partition("/")
        known = kind == "http" or (kind == "tcp" and not slash)
        if not known or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{check!r} is not a check; give one such as tcp:443 or http:8080/health")
        return check


def _prefix(text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} names nobody; give {CLIENTS}") from None
