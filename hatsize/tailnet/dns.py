"""DNS settings as they are in force, and who answers for a name: the clients themselves, or a server they ask.

Clients answer names with addresses alone (types A and AAAA) and no wildcards: what else a record says only reaches
them through a server that their split DNS asks (tailscale's `ipnlocal.dnsConfigForNetmap`, 1.80 to 1.102).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hatsize.tailnet.model import DnsSettings, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSRecord, Resolver

T = TypeVar("T")
ADDRESS_TYPES = frozenset({"", "A", "AAAA"})
"""Types that clients tell by the value, and the only ones they take."""
WITH_EXIT_NODE = "#with-exit-node"
"""What stands behind a resolver that is asked through an exit node too (capability version 125)."""
CHAIN = 8
"""How many aliases in a row are followed."""


@dataclass(frozen=True, slots=True)
class DnsChoice:
    """A whole choice of DNS settings."""

    magic_dns: bool = True
    override_local: bool = False
    nameservers: Sequence[str] = ()
    split: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Resolvers by domain; none for a domain whose names clients know or nobody does."""
    search_domains: Sequence[str] = ()


def in_force(state: State, configured: DnsChoice) -> DnsChoice:
    """What was set at run time, and the configured choice where nothing was."""
    chosen = chosen_dns(state)
    return DnsChoice(
        _first(chosen.magic_dns, configured.magic_dns),
        _first(chosen.override_local, configured.override_local),
        _first(chosen.nameservers, configured.nameservers),
        _first(chosen.split, configured.split),
        _first(chosen.search_domains, configured.search_domains),
    )


def chosen_dns(state: State) -> DnsSettings:
    """What was set at run time: an empty record where nothing ever was."""
    return next(state.all(DnsSettings), None) or DnsSettings(id=1, tailnet=state.tailnet_id)


def resolver_of(text: str) -> Resolver:
    """A resolver as clients are told it, from how settings write it: `10.0.0.53`, or `10.0.0.53#with-exit-node`."""
    return Resolver(Addr=text.removesuffix(WITH_EXIT_NODE), UseWithExitNode=text.endswith(WITH_EXIT_NODE))


def node_addresses(state: State, base_domain: str) -> Callable[[str], Sequence[str]]:
    """A function that tells the addresses of the node with a whole name, none where there is no such node."""

    def addresses_of(name: str) -> Sequence[str]:
        label, _, domain = name.partition(".")
        node = state.find(Node, state.index.node_by_name.get(label)) if domain == base_domain else None
        return node.addresses if node else ()

    return addresses_of


def told(records: Sequence[DNSRecord], addresses_of: Callable[[str], Sequence[str]]) -> tuple[DNSRecord, ...]:
    """The records as clients take them: addresses alone, an alias as the addresses of what it points to.

    `addresses_of` tells the addresses of a node by its whole name.
    """
    book = _Book(records, addresses_of)
    found: list[DNSRecord] = []
    for record in records:
        if record.Type in ADDRESS_TYPES and not is_wildcard(record.Name):
            found.append(record)
        elif record.Type == "CNAME" and not is_wildcard(record.Name):
            found += [DNSRecord(Name=record.Name, Value=address) for address in book.addresses(record.Value)]
    return tuple(found)


def with_ways_in(
    records: Iterable[DNSRecord],
    routes: Mapping[str, Sequence[Resolver] | None],
    everything: Sequence[Resolver],
    rest: Sequence[Resolver],
) -> dict[str, Sequence[Resolver] | None]:
    """The routes, with one for each record's name that none leads to.

    A client whose system asks by domain hears of no other queries, unless it has resolvers for `everything`. `rest`
    are asked for what lies below such a name; where there are none, only its records are known there.
    """
    found = dict(routes)
    if everything:
        return found
    for record in records:
        name = plain(record.Name)
        if route_of(name, found) is None:
            found[name + "."] = tuple(rest)
    return found


def route_of(name: str, routes: Iterable[str]) -> str | None:
    """The longest of the suffixes, as it is written there, that a name is in."""
    fitting = [suffix for suffix in routes if _within(name, plain(suffix))]
    return max(fitting, key=lambda suffix: len(plain(suffix)), default=None)


def plain(name: str) -> str:
    """A name in lower case, without the dot at the end."""
    return name.rstrip(".").lower()


def is_wildcard(name: str) -> bool:
    return name.startswith("*.")


def target_addresses(
    records: Sequence[DNSRecord], addresses_of: Callable[[str], Sequence[str]], name: str
) -> Sequence[str]:
    """The addresses that a name has by the records and nodes, aliases followed."""
    return _Book(records, addresses_of).addresses(name)


class _Book:
    """Looks names up in records, and in nodes where these say nothing."""

    def __init__(self, records: Iterable[DNSRecord], addresses_of: Callable[[str], Sequence[str]]) -> None:
        self._addresses: dict[str, list[str]] = {}
        self._aliases: dict[str, str] = {}
        self._addresses_of = addresses_of
        for record in records:
            if record.Type in ADDRESS_TYPES:
                self._addresses.setdefault(plain(record.Name), []).append(record.Value)
            elif record.Type == "CNAME":
                self._aliases[plain(record.Name)] = plain(record.Value)

    def addresses(self, name: str) -> Sequence[str]:
        current = plain(name)
        for _ in range(CHAIN):
            found = self._addresses.get(current) or self._addresses_of(current)
            if found or current not in self._aliases:
                return found
            current = self._aliases[current]
        return ()


def _within(name: str, suffix: str) -> bool:
    return name == suffix or name.endswith("." + suffix)


def _first(chosen: T | None, configured: T) -> T:
    return configured if chosen is None else chosen
