"""What the JSON of every API is made of."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(extra_json_schema={"format": "uint64"})]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Moment = Annotated[datetime, Meta(tz=True)]
"""A time a client gives: RFC 3339, with its offset."""

ZERO_TIME = "0001-01-01T00:00:00Z"
"""How Go writes a time that is not set."""


def go_time(moment: datetime | None) -> str:
    """RFC 3339 in UTC as Go writes it: a fraction without trailing zeros; the zero time for None."""
    if moment is None:
        return ZERO_TIME
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


class Answer(msgspec.Struct, kw_only=True, rename="camel"):
    """A part of an answer."""


class Body(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a client sends. A field nobody knows is refused: it may be a misspelt restriction."""


class Query(msgspec.Struct, kw_only=True, rename="camel"):
    """Parameters behind the question mark."""


class Nothing(Answer):
    """An answer that only says that it was done."""
