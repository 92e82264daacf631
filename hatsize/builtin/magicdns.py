"""MagicDNS and the configured resolvers: names of nodes under the base domain, split and global nameservers,
records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.dns import DNSProvider
from hatsize.tailnet.dns import (
    ADDRESS_TYPES,
    DnsChoice,
    in_force,
    node_addresses,
    plain,
    resolver_of,
    told,
    with_ways_in,
)
from hatsize.tailnet.model import DnsRecord, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig, DNSRecord, Resolver


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

    @property
    def choice(self) -> DnsChoice:
        """What can be set at run time too."""
        return DnsChoice(
            self.magic_dns, self.override_local, self.nameservers, dict(self.split or {}), self.search_domains
        )


class MagicDNS:
    """Tells each node the names and resolvers of the tailnet."""

    name = "magicdns"

    def __init__(self, defaults: DnsDefaults) -> None:
        self.defaults = defaults
        """Whoever replaces them tells the tailnet that its settings changed."""
        self.watched: Sequence[DNSRecord] = ()
        """Records from elsewhere, as a file that is watched."""
        self._reverse = dict.fromkeys(reverse_zones(defaults.prefixes), ())
        self._told: tuple[object, Sequence[DNSRecord]] | None = None

    def configure(self, state: State, node: Node, config: DNSConfig) -> DNSConfig:
        del node
        base, chosen = self.defaults.base_domain, in_force(state, self.defaults.choice)
        resolvers = tuple(map(resolver_of, chosen.nameservers))
        override, fallback = (resolvers, ()) if chosen.override_local else ((), resolvers)
        routes: dict[str, Sequence[Resolver] | None] = {
            suffix: tuple(map(resolver_of, theirs)) for suffix, theirs in chosen.split.items()
        }
        if chosen.magic_dns:
            own = {base + ".": ()} | self._reverse
            routes |= {zone: () for zone in own if plain(zone) not in chosen.split}
        records = self.told(state)
        return replace(
            config,
            Resolvers=(*config.Resolvers, *override),
            FallbackResolvers=(*config.FallbackResolvers, *fallback),
            Routes=with_ways_in(records, {**config.Routes, **routes}, override, fallback if chosen.magic_dns else ()),
            Domains=(*((base,) if chosen.magic_dns else ()), *chosen.search_domains, *config.Domains),
            Proxied=chosen.magic_dns or config.Proxied,
            ExtraRecords=(*records, *config.ExtraRecords),
        )

    def records(self, state: State) -> Sequence[DNSRecord]:
        """All records, of every type: those of the settings, of the watched file, and of the tailnet."""
        stored = (
            DNSRecord(Name=record.name, Type="" if record.type in ADDRESS_TYPES else record.type, Value=record.value)
            for record in state.all(DnsRecord)
        )
        return (*self.defaults.records, *self.watched, *stored)

    def told(self, state: State) -> Sequence[DNSRecord]:
        """The records as clients take them; worked out once for all nodes of a state as it is."""
        now = (state.version, self.defaults, self.watched)
        if self._told is None or self._told[0] != now:
            addresses_of = node_addresses(state, self.defaults.base_domain)
            self._told = now, told(self.records(state), addresses_of)
        return self._told[1]


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
