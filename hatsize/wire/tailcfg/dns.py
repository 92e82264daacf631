"""What a client's resolver is told (protocol fact sheet, 6.5)."""

from collections.abc import Mapping, Sequence

from hatsize.wire.tailcfg import base
from hatsize.wire.tailcfg.base import Wire, always


class Resolver(Wire, frozen=True):
    """An upstream: an address, an address and port, or a DNS-over-HTTPS URL."""

    Addr: str = ""
    BootstrapResolution: Sequence[base.Addr] = ()
    UseWithExitNode: bool = False


class DNSRecord(Wire, frozen=True):
    """A name that clients answer themselves. An empty `Type` is A or AAAA, by the value."""

    Name: str = always("")
    Type: str = ""
    Value: str = always("")


class DNSConfig(Wire, frozen=True):
    """A client's DNS settings; absent in the first message they are empty and MagicDNS is off."""

    Resolvers: Sequence[Resolver] = ()
    Routes: Mapping[str, Sequence[Resolver] | None] = {}
    FallbackResolvers: Sequence[Resolver] = ()
    Domains: Sequence[str] = ()
    Proxied: bool = False
    Nameservers: Sequence[base.Addr] = ()
    CertDomains: Sequence[str] = ()
    ExtraRecords: Sequence[DNSRecord] = ()
    ExitNodeFilteredSet: Sequence[str] = ()
    TempCorpIssue13969: str = ""
