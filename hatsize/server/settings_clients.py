"""The settings' section of what clients are told: updates, and other ways to reach the server."""

import re
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from hatsize.netmap.notices import version
from hatsize.server.settings_problems import wrong
from hatsize.server.settings_types import Section, from_text

VERSION = re.compile(r"\d+(\.\d+){1,2}")


def _version(value: str) -> str:
    if value and not VERSION.fullmatch(value):
        raise ValueError("is not a client's version; give one such as 1.102.5")
    return value


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("is not an IP address; give one such as 203.0.113.7") from None


Version = Annotated[str, AfterValidator(_version)]
Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], BeforeValidator(from_text)]


class Clients(Section):
    latest_version: Version = ""
    """The client version that people should have, as `1.102.5`: older clients say that there is an update."""
    urgent_below: Version = ""
    """Clients older than this version say that the update is urgent."""
    server_addresses: Addresses = ()
    """IP addresses by which clients reach the server even when its name does not resolve, the best first."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.urgent_below and version(self.urgent_below) > version(self.latest_version):
            raise wrong("urgent_below", self.urgent_below, "is newer than clients.latest_version; set that one too")
        return self
