"""MagicDNS and the configured resolvers: names of nodes under the base domain, split and global nameservers,
records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar

from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.dns import DNSProvider
from hatsize.tailnet.model import DnsRecord, DnsSettings, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig, DNSRecord, Resolver

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DnsDefaults:
    """The configured DNS; what was changed at run time (`DnsSettings`) goes before it."""

    base_domain: str
    magic_dns: bool = True
    override_local: bool = True
    nameservers: Sequence[str] = ()
    split: Mapping[str, Sequence[str]] | None = None
    search_domains: Sequence[str] = ()
    records: Sequence[DNSRecord] = ()
    prefixes: Sequence[IPv4Network | IPv6Network] = ()
    """The tailnet's prefixes, whose reverse zones clients answer themselves."""


class MagicDNS:
    """Tells each node the names and resolvers of the tailnet."""

    name = "magicdns"

    def __init__(self, defaults: DnsDefaults) -> None:
        self.defaults = defaults
        """Whoever replaces them tells the tailnet that its settings changed."""
        self.watched: Sequence[DNSRecord] = ()
        """Records from elsewhere, as a file that is watched."""
        self._reverse = dict.fromkeys(reverse_zones(defaults.prefixes), ())

    def configure(self, state: State, node: Node, config: DNSConfig) -> DNSConfig:
        del node
        base = self.defaults
        chosen = next(state.all(DnsSettings), None) or DnsSettings(id=0)
        magic = _first(chosen.magic_dns, base.magic_dns)
        override = _first(chosen.override_local, base.override_local)
        nameservers = _first(chosen.nameservers, base.nameservers)
        split: Mapping[str, Sequence[str]] = _first(chosen.split, base.split or {})
        search = _first(chosen.search_domains, base.search_domains)
        resolvers = tuple(Resolver(Addr=address) for address in nameservers)
        routes: dict[str, Sequence[Resolver] | None] = {
            suffix: tuple(Resolver(Addr=address) for address in addresses) for suffix, addresses in split.items()
        }
        if magic:
            routes |= {base.base_domain + ".": ()} | self._reverse
        stored = tuple(
            DNSRecord(Name=record.name, Type="" if record.type in {"A", "AAAA"} else record.type, Value=record.value)
            for record in state.all(DnsRecord)
        )
        return replace(
            config,
            Resolvers=(*config.Resolvers, *(resolvers if override else ())),
            FallbackResolvers=(*config.FallbackResolvers, *(() if override else resolvers)),
            Routes={**config.Routes, **routes},
            Domains=(*((base.base_domain,) if magic else ()), *search, *config.Domains),
            Proxied=magic or config.Proxied,
            ExtraRecords=(*base.records, *self.watched, *stored, *config.ExtraRecords),
        )


def _first(chosen: T | None, configured: T) -> T:
    return configured if chosen is None else chosen


def reverse_zones(prefixes: Sequence[IPv4Network | IPv6Network]) -> list[str]:
    """The reverse zones that cover prefixes, with the trailing dot: whole octets of IPv4, whole nibbles of IPv6."""
    zones: list[str] = []
    for prefix in prefixes:
        if isinstance(prefix, IPv4Network):
            octets = -(-prefix.prefixlen // 8)
            for subnet in prefix.subnets(new_prefix=octets * 8):
                labels = str(subnet.network_address).split(".")[:octets]
                zones.append(".".join(reversed(labels)) + ".in-addr.arpa.")
        else:
            nibbles = -(-prefix.prefixlen // 4)
            for block in prefix.subnets(new_prefix=nibbles * 4):
                digits = block.network_address.exploded.replace(":", "")[:nibbles]
                zones.append(".".join(reversed(digits)) + ".ip6.arpa.")
    return zones


class MagicDNSPlugin:
    """Registers MagicDNS with the configured defaults."""

    def __init__(self, defaults: DnsDefaults) -> None:
        self._provider = MagicDNS(defaults)

    @hookimpl
    def hatsize_register_dns_provider(self) -> DNSProvider:
        return self._provider
