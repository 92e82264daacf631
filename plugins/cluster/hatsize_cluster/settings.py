"""The section `[plugins.cluster]`: what a replica is called, where it is reached, and the key of what all share."""

import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key_file: Path | None = None
    """A file with 64 hexadecimal digits, the same for all replicas: it encrypts the secrets they share."""
    name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=60)
    """What people call this replica; the machine's name, unless another one is given."""
    address: str = ""
    """By which name or address clients and the other replicas reach this replica's own relay; none to find it out."""
    lease: float = Field(default=10.0, ge=2, le=300)
    """Seconds after which a replica that is not heard of any more is taken for dead, and its nodes for offline."""

    @field_validator("address")
    @classmethod
    def _no_url(cls, address: str) -> str:
        if "/" in address or " " in address:
            raise ValueError(f"{address!r} is not a name or address; give one such as 10.0.0.11, without a port")
        return address.strip("[]")
