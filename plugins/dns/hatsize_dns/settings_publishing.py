"""Whose DNS challenges are published on besides our own: `[[plugins.dns.updates]]`, `[[plugins.dns.providers]]`."""

import binascii
from base64 import b64decode
from importlib.util import find_spec
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from hatsize_dns.addresses import Place, place
from hatsize_dns.names import plain, zone_names
from hatsize_dns.settings_zones import STRICT

DNS_PORT = 53


class PublishingSettings(BaseModel):
    """What both ways of publishing have."""

    model_config = STRICT

    zone: str
    """The zone in which records are made; nodes' names are in it, or below it."""
    ttl: int = Field(default=60, ge=0, le=86400)
    watched: tuple[str, ...] = ()
    """Name servers that must show a record before the client goes on, as addresses."""

    @field_validator("zone")
    @classmethod
    def _a_zone(cls, zone: str) -> str:
        if "/" in zone:
            raise ValueError(f"{zone!r} is a prefix; give a domain")
        return plain(zone_names(zone)[0])

    @field_validator("watched")
    @classmethod
    def _places(cls, watched: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(place(each, DNS_PORT)) for each in watched)

    @property
    def watched_places(self) -> list[Place]:
        return [place(each) for each in self.watched]


class UpdateSettings(PublishingSettings):
    """A primary name server that takes updates signed with TSIG (RFC 2136, RFC 8945): BIND, Knot, PowerDNS."""

    server: str
    """The primary's address, with a port if it is not 53."""
    key: str
    """The key's name."""
    secret: SecretStr
    """The key, in base64."""
    algorithm: Literal["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"

    @field_validator("server")
    @classmethod
    def _a_place(cls, server: str) -> str:
        return str(place(server, DNS_PORT))

    @field_validator("secret")
    @classmethod
    def _base64(cls, secret: SecretStr) -> SecretStr:
        try:
            key = b64decode(secret.get_secret_value(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key:
            raise ValueError("is not a key in base64; make one with tsig-keygen")
        return secret


class ProviderSettings(PublishingSettings):
    """A DNS provider with an interface of its own, through dns-lexicon."""

    provider: str
    """The name that dns-lexicon has for it, as `cloudflare`."""
    options: dict[str, SecretStr] = {}
    """What dns-lexicon wants to know for it, as `auth_token`."""
    wait: float = Field(default=20.0, ge=0.0, le=45.0)
    """Seconds in which the provider's servers get to know of a record, where none are watched."""

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if find_spec("lexicon") is None:
            raise ValueError("providers need dns-lexicon: pip install 'hatsize-dns[providers]'")
        if find_spec(f"lexicon._private.providers.{self.provider}") is None:
            raise ValueError(f"dns-lexicon knows no provider {self.provider!r}: `lexicon --help` lists them")
        return self
