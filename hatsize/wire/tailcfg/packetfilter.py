"""Packet filter rules (protocol fact sheet, 6.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from hatsize.wire.tailcfg.base import Int, Prefix, Wire, always


class PortRange(Wire, frozen=True):
    """Ports from `First` to `Last`, both included."""

    First: Int = always(0)
    Last: Int = always(0)


ALL_PORTS = PortRange(First=0, Last=65535)


class NetPortRange(Wire, frozen=True):
    """A destination: an address, masked prefix, `a-b` range or `*`, and its ports."""

    IP: str = always("")
    Ports: PortRange = always(ALL_PORTS)


class CapGrant(Wire, frozen=True):
    """What sources hold as peer capabilities towards `Dsts`, addresses of the receiving node."""

    Dsts: Sequence[Prefix] = always(())
    Caps: Sequence[str] = ()
    CapMap: Mapping[str, Sequence[Any] | None] = {}


_Grants = Sequence[CapGrant]


class FilterRule(Wire, frozen=True):
    """Lets `SrcIPs` reach `DstPorts`, or grants them capabilities; never both in one rule.

    An empty `IPProto` stands for TCP, UDP and ICMP.
    """

    SrcIPs: Sequence[str] = always(())
    DstPorts: Sequence[NetPortRange] = ()
    IPProto: Sequence[Int] = ()
    CapGrant: _Grants = ()
