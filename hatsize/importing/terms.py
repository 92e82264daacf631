"""What a mapping needs to know besides the rows."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Terms:
    now: datetime
    issuer: str = ""
    """The URL of the configured identity provider."""
    unknown: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """When a row was made that does not say so: always the same, so that importing again finds nothing new."""
