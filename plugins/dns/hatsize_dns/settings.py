"""The section `[plugins.dns]`: what is served and published beyond the tailnet's own names."""

from typing import Any, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from hatsize_dns.addresses import Place, place
from hatsize_dns.names import absolute
from hatsize_dns.settings_publishing import ProviderSettings, UpdateSettings
from hatsize_dns.settings_zones import STRICT, PoolSettings, ZoneSettings


class Settings(BaseModel):
    model_config = STRICT

    listen: tuple[str, ...] = ("0.0.0.0:53", "[::]:53")
    """Where questions are answered, by UDP and TCP; nowhere while there is no zone."""
    zones: tuple[ZoneSettings, ...] = ()
    """Tables; a text stands for a table with that `name`."""
    nameservers: tuple[str, ...] = ()
    """The names that the zones are delegated to, as `ns1.example.com`."""
    hostmaster: str = ""
    """The e-mail address in the zones' SOA records; `hostmaster` at the zone where it is empty."""
    rate: float = Field(default=50.0, ge=0.0)
    """Answers a second by UDP for each network (/24, /56); 0 for no limit."""
    rate_in_all: float = Field(default=1000.0, ge=0.0)
    """Answers a second by UDP for everybody; 0 for no limit."""
    pools: tuple[PoolSettings, ...] = ()
    updates: tuple[UpdateSettings, ...] = ()
    providers: tuple[ProviderSettings, ...] = ()
    lifetime: float = Field(default=900.0, ge=60.0, le=86400.0)
    """Seconds after which a challenge is taken away again."""

    @field_validator("zones", mode="before")
    @classmethod
    def _tables(cls, zones: Any) -> Any:
        if not isinstance(zones, list | tuple):
            return zones
        return [{"name": zone} if isinstance(zone, str) else zone for zone in zones]

    @field_validator("listen")
    @classmethod
    def _places(cls, listen: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(place(each)) for each in listen)

    @field_validator("nameservers")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(absolute(name).to_text() for name in names)

    @model_validator(mode="after")
    def _somebody_can_ask(self) -> Self:
        if self.zones and not self.listen:
            raise ValueError("there are zones, but `listen` is empty: nobody could ask for them")
        return self

    @property
    def places(self) -> list[Place]:
        """Where questions are answered."""
        return [place(each) for each in self.listen] if self.zones else []
