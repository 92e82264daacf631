"""What the wire's structures are made of: their base, and the text forms inside their fields."""

from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")


class WireError(ValueError):
    """A message that cannot be read. The text names the field and what it should be, never what it held."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JSON object with Go's field names, of which a field left at its default is not sent."""


def always(value: T) -> T:
    """A field's default that is sent all the same, as Go sends every field without `omitempty`.

    msgspec leaves out only plain defaults and empty containers; what a function made is always written.
    """
    made: T = msgspec.field(default_factory=lambda: value)
    return made


def named(name: str, default: T) -> T:
    """A field whose JSON name differs from its Go name."""
    field: T = msgspec.field(name=name, default=default)
    return field


def lower_first(name: str) -> str | None:
    """The JSON names of the structures that have `json:"lowerCamel"` tags throughout."""
    return name[:1].lower() + name[1:]


def _form(name: str) -> Any:
    return msgspec.Meta(extra={"form": name})


Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's int64."""
Addr = Annotated[str, _form("addr")]
"""`netip.Addr`: `100.64.0.1`, or empty for none."""
Prefix = Annotated[str, _form("prefix")]
"""`netip.Prefix`, masked: `10.0.0.0/8`, or empty for none."""
AddrPort = Annotated[str, _form("addrport")]
"""`netip.AddrPort`: `1.2.3.4:41641`, `[2001:db8::1]:41641`, or empty for none."""
CapMap = dict[str, list[Any] | None]
"""Capability -> arguments, each any JSON value; null is the capability without arguments."""
