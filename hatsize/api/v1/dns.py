"""API v1: the DNS settings that clients are told, and those set at run time. Headscale has none of this."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType

from hatsize.api.contract import DnsAccess
from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Body
from hatsize.tailnet.commands import dns
from hatsize.tailnet.commands.dns_forms import resolver_warning
from hatsize.tailnet.dns import DnsChoice, chosen_dns, in_force
from hatsize.tailnet.state import State

area = Area("DNS")
FALLBACK = (
    "nameservers are asked only where a machine has no resolvers of its own, as behind an exit node: "
    "turn overrideLocalDns on to have them asked for everything, and through an exit node where they are marked so"
)


class DnsSettingsJson(Answer):
    magic_dns: bool
    override_local_dns: bool
    nameservers: list[str]
    split: dict[str, list[str]]
    """Resolvers by domain; none for a domain that clients answer for by its records alone."""
    search_domains: list[str]


class DnsAnswer(Answer):
    dns: DnsSettingsJson
    """What is in force."""
    base_domain: str
    configured: DnsSettingsJson
    """What is in force where nothing was set at run time."""
    changed: list[str]
    """Which of these were set at run time."""
    warnings: list[str] | UnsetType = UNSET


class UpdateDns(Body):
    """What is left out stays; null takes back what was set at run time."""

    magic_dns: bool | UnsetType | None = UNSET
    override_local_dns: bool | UnsetType | None = UNSET
    nameservers: list[str] | UnsetType | None = UNSET
    split: dict[str, list[str]] | UnsetType | None = UNSET
    search_domains: list[str] | UnsetType | None = UNSET


class SplitDns(Body):
    nameservers: list[str]


@area.add("GET", "/dns", "getDns", "Show the DNS settings")
async def get_dns(call: Call) -> DnsAnswer:
    return _answer(call.live.state, call.live.dns)


@area.add("PATCH", "/dns", "updateDns", "Change DNS settings; null goes back to what is configured")
async def update_dns(call: Call, body: UpdateDns) -> DnsAnswer:
    update = dns.DnsUpdate(
        magic_dns=body.magic_dns,
        override_local=body.override_local_dns,
        nameservers=body.nameservers,
        split=body.split,
        search_domains=body.search_domains,
    )
    configured = call.live.dns.configured
    await call.run(lambda state: dns.change_dns(state, update, configured, call.now))
    return _answer(call.live.state, call.live.dns)


@area.add("PUT", "/dns/split/{domain}", "setSplitDns", "Set the resolvers of a domain")
async def set_split(call: Call, domain: str, body: SplitDns) -> DnsAnswer:
    configured = call.live.dns.configured
    await call.run(lambda state: dns.set_split(state, domain, body.nameservers, configured, call.now))
    return _answer(call.live.state, call.live.dns)


@area.add("DELETE", "/dns/split/{domain}", "removeSplitDns", "Remove the resolvers of a domain")
async def remove_split(call: Call, domain: str) -> DnsAnswer:
    configured = call.live.dns.configured
    await call.run(lambda state: dns.remove_split(state, domain, configured, call.now))
    return _answer(call.live.state, call.live.dns)


def _answer(state: State, access: DnsAccess) -> DnsAnswer:
    now = in_force(state, access.configured)
    return DnsAnswer(
        dns=_settings(now),
        base_domain=access.base_domain,
        configured=_settings(access.configured),
        changed=_changed(state),
        warnings=list(_warnings(now)) or UNSET,
    )


def _settings(choice: DnsChoice) -> DnsSettingsJson:
    return DnsSettingsJson(
        magic_dns=choice.magic_dns,
        override_local_dns=choice.override_local,
        nameservers=list(choice.nameservers),
        split={domain: list(resolvers) for domain, resolvers in choice.split.items()},
        search_domains=list(choice.search_domains),
    )


def _changed(state: State) -> list[str]:
    chosen = chosen_dns(state)
    fields = {
        "magicDns": chosen.magic_dns,
        "overrideLocalDns": chosen.override_local,
        "nameservers": chosen.nameservers,
        "split": chosen.split,
        "searchDomains": chosen.search_domains,
    }
    return [name for name, value in fields.items() if value is not None]


def _warnings(choice: DnsChoice) -> Sequence[str]:
    asked: Mapping[str, Sequence[str]] = {"": choice.nameservers, **choice.split}
    doh = [resolver_warning(resolver) for resolvers in asked.values() for resolver in resolvers]
    unused = [FALLBACK] if choice.nameservers and not choice.override_local else []
    return [*dict.fromkeys(warning for warning in doh if warning), *unused]
