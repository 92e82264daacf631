"""What a mapping needs to know besides the rows."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Terms:
    now: datetime
    issuer: str = ""
    """The URL of the configured identity provider."""
