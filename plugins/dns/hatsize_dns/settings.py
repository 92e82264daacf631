"""The section `[plugins.dns]`: what is served and published beyond the tailnet's own names."""

from pydantic import BaseModel, ConfigDict, field_validator


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    zones: tuple[str, ...] = ()
    """Domains delegated to this server."""

    @field_validator("zones")
    @classmethod
    def _domains(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        for zone in zones:
            if zone.strip(".").count(".") == 0 or " " in zone:
                raise ValueError(f"{zone!r} is not a domain that can be delegated; give one such as net.example.com")
        return tuple(zone.strip(".").lower() for zone in zones)
