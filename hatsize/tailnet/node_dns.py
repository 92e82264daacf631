"""A node's own resolvers, by the attributes that the policy's `nodeAttrs` give it.

- `resolver:10.0.0.53`: asked for everything, in place of the tailnet's and the machine's own;
- `resolver:corp.example=10.0.0.53`: asked for a domain;
- `nextdns:PROFILE`: the profile at NextDNS, where the tailnet asks NextDNS;
- `nextdns:no-device-info`: NextDNS is not told which machine asks.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace

from hatsize.tailnet.commands.dns_forms import checked_domain, checked_resolver
from hatsize.tailnet.dns import plain, resolver_of
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Node
from hatsize.wire.tailcfg import DNSConfig, Resolver

RESOLVER, NEXTDNS = "resolver:", "nextdns:"
NO_DEVICE_INFO = "nextdns:no-device-info"
NEXTDNS_HOST = "dns.nextdns.io"
PROFILE = re.compile(r"[A-Za-z0-9._-]{1,64}")

Routes = Mapping[str, Sequence[Resolver] | None]


def check_attribute(attribute: str) -> None:
    """Raise InvalidError for an attribute that would choose resolvers and is not of the form it must have."""
    if attribute.startswith(RESOLVER):
        _chosen(attribute)
    elif attribute.startswith(NEXTDNS) and not PROFILE.fullmatch(attribute.removeprefix(NEXTDNS)):
        raise InvalidError(
            f"{attribute!r} names no profile of NextDNS: write its letters and digits, as nextdns:abc123"
        )


def for_node(config: DNSConfig, node: Node, attributes: Collection[str]) -> DNSConfig:
    """The configuration with the resolvers that a node's attributes choose for it; those amiss choose nothing."""
    chosen = _all_chosen(attributes)
    if chosen:
        config = _with_own(config, chosen)
    lists = (config.Resolvers, config.FallbackResolvers, *config.Routes.values())
    if not any(_is_nextdns(resolver.Addr) for resolvers in lists for resolver in resolvers or ()):
        return config
    profiles = (
        each.removeprefix(NEXTDNS) for each in attributes if each.startswith(NEXTDNS) and each != NO_DEVICE_INFO
    )
    profile = min(filter(PROFILE.fullmatch, profiles), default="")
    device = {} if NO_DEVICE_INFO in attributes else _device(node)

    def personal(resolvers: Sequence[Resolver] | None) -> Sequence[Resolver]:
        return tuple(
            replace(resolver, Addr=_personal(resolver.Addr, profile, device))
            if _is_nextdns(resolver.Addr)
            else resolver
            for resolver in resolvers or ()
        )

    return replace(
        config,
        Resolvers=personal(config.Resolvers),
        FallbackResolvers=personal(config.FallbackResolvers),
        Routes={suffix: personal(resolvers) for suffix, resolvers in config.Routes.items()},
    )


def _all_chosen(attributes: Collection[str]) -> list[tuple[str, str]]:
    found = []
    for attribute in attributes:
        if attribute.startswith(RESOLVER):
            with suppress(InvalidError):
                found.append(_chosen(attribute))
    return found


def _chosen(attribute: str) -> tuple[str, str]:
    """The domain, empty for everything, and the resolver that an attribute names; raises InvalidError."""
    domain, equals, resolver = attribute.removeprefix(RESOLVER).rpartition("=")
    if equals and not domain.startswith("https://"):
        return checked_domain(domain), checked_resolver(resolver)
    return "", checked_resolver(attribute.removeprefix(RESOLVER))


def _with_own(config: DNSConfig, chosen: Sequence[tuple[str, str]]) -> DNSConfig:
    own: dict[str, tuple[Resolver, ...]] = {}
    for domain, resolver in chosen:
        own[domain] = (*own.get(domain, ()), resolver_of(resolver))
    everything = own.pop("", ())
    routes: Routes = {suffix: found for suffix, found in config.Routes.items() if plain(suffix) not in own}
    return replace(
        config,
        Resolvers=everything or config.Resolvers,
        FallbackResolvers=() if everything else config.FallbackResolvers,
        Routes={**routes, **own},
    )


def _is_nextdns(address: str) -> bool:
    return address.startswith("https://") and urlsplit(address).hostname == NEXTDNS_HOST


def _device(node: Node) -> dict[str, str]:
    """What NextDNS shows of the machine that asks, in the parameters of its own clients."""
    told = {"device_name": node.hostinfo.Hostname, "device_model": node.hostinfo.OS}
    return told | ({"device_ip": node.addresses[0]} if node.addresses else {})


def _personal(address: str, profile: str, device: Mapping[str, str]) -> str:
    url = urlsplit(address)
    path, query = (f"/{profile}", {}) if profile else (url.path, dict(parse_qsl(url.query)))
    return url._replace(path=path, query=urlencode({**query, **device})).geturl()
