"""API v2: the nameservers of single domains."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hatsize.api.operation import Area, Call
from hatsize.api.v2.dns import chosen, update
from hatsize.tailnet.commands.dns import DnsUpdate, change_dns
from hatsize.tailnet.commands.dns_forms import checked_domain
from hatsize.tailnet.dns import DnsChoice, in_force
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State

T = TypeVar("T")
area = Area("DNS")
PATH = "/tailnet/{tailnet}/dns/split-dns"
Domains = dict[str, list[str] | None]
"""Nameservers by domain."""


@area.add("GET", PATH, "getSplitDns", "List the nameservers of single domains", scope="dns:read")
async def get_split(call: Call) -> Domains:
    return {domain: list(resolvers) for domain, resolvers in chosen(call).split.items()}


@area.add("PUT", PATH, "setSplitDns", "Set the domains that have nameservers, and these", scope="dns")
async def put_split(call: Call, body: Domains) -> Domains:
    await update(call, DnsUpdate(split=without_null(body)))
    return await get_split(call)


@area.add(
    "PATCH", PATH, "updateSplitDns", "Set the nameservers of some domains; null or none takes them away", scope="dns"
)
async def patch_split(call: Call, body: Domains) -> Domains:
    configured = call.live.dns.configured

    def patched(state: State) -> Change | None:
        return change_dns(state, DnsUpdate(split=_patched(state, configured, body)), configured, call.now)

    await call.run(patched)
    return await get_split(call)


def without_null(domains: Mapping[str, Sequence[T] | None]) -> dict[str, Sequence[T]]:
    return {domain: resolvers for domain, resolvers in domains.items() if resolvers is not None}


def _patched(state: State, configured: DnsChoice, patch: Domains) -> dict[str, Sequence[str]]:
    split = dict(in_force(state, configured).split)
    for domain, resolvers in patch.items():
        name = checked_domain(domain)
        split.pop(name, None)
        if resolvers:
            split[name] = resolvers
    return split
