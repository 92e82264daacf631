"""DNS as an administrator changes it at run time: resolvers, search domains, MagicDNS; each back to the settings too.

A value of None takes back what was set, so that the configured one is in force again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs
from msgspec.structs import replace

from hatsize.tailnet.commands.dns_forms import checked_domain, checked_resolver
from hatsize.tailnet.dns import DnsChoice, chosen_dns, in_force
from hatsize.tailnet.errors import NotFoundError, RefusedError
from hatsize.tailnet.model import Change, DnsSettings
from hatsize.tailnet.state import State


class DnsUpdate(Struct, frozen=True, kw_only=True):
    """What shall be otherwise; what is not given stays."""

    magic_dns: bool | UnsetType | None = UNSET
    override_local: bool | UnsetType | None = UNSET
    nameservers: Sequence[str] | UnsetType | None = UNSET
    split: Mapping[str, Sequence[str]] | UnsetType | None = UNSET
    search_domains: Sequence[str] | UnsetType | None = UNSET


def change_dns(state: State, update: DnsUpdate, configured: DnsChoice, now: datetime) -> Change | None:
    """Other settings; None where they are in force as they are. Raises InvalidError, and RefusedError for an override
    with nothing to put in place."""
    given = update_fields(update)
    chosen = replace(chosen_dns(state), **given)
    change = _chosen(state, chosen, now)
    if change is not None and not given.keys().isdisjoint({"override_local", "nameservers"}):
        _check_override(chosen, configured)
    return change


def set_nameservers(state: State, resolvers: Sequence[str], now: datetime) -> Change | None:
    """The resolvers for everything. An override stays when there are none, and overrides nothing until there are."""
    return _chosen(state, replace(chosen_dns(state), nameservers=_resolvers(resolvers)), now)


def set_split(
    state: State, domain: str, resolvers: Sequence[str], configured: DnsChoice, now: datetime
) -> Change | None:
    """The resolvers of one domain; none leaves it to the records."""
    split = {**in_force(state, configured).split, checked_domain(domain): _resolvers(resolvers)}
    return change_dns(state, DnsUpdate(split=split), configured, now)


def remove_split(state: State, domain: str, configured: DnsChoice, now: datetime) -> Change | None:
    """A domain's resolvers go, so that it is asked for like any other; raises NotFoundError."""
    split = dict(in_force(state, configured).split)
    if split.pop(checked_domain(domain), None) is None:
        raise NotFoundError(f"the domain {domain!r} has no resolvers of its own: see `hatsize dns show`")
    return change_dns(state, DnsUpdate(split=split), configured, now)


def update_fields(update: DnsUpdate) -> dict[str, object]:
    """The values that an update gives, by field, checked and in canonical form."""
    checks: dict[str, Callable[[Any], object]] = {
        "nameservers": _resolvers,
        "split": lambda split: {checked_domain(domain): _resolvers(given) for domain, given in split.items()},
        "search_domains": lambda domains: tuple(dict.fromkeys(map(checked_domain, domains))),
    }
    given = {name: value for name, value in structs.asdict(update).items() if value is not UNSET}
    return {
        name: checks[name](value) if name in checks and value is not None else value for name, value in given.items()
    }


def _resolvers(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(checked_resolver, given)))


def _chosen(state: State, chosen: DnsSettings, now: datetime) -> Change | None:
    if chosen == chosen_dns(state):
        return None
    return Change(tailnet=state.tailnet_id, kind="dns.updated", puts=(chosen,), at=now)


def _check_override(chosen: DnsSettings, configured: DnsChoice) -> None:
    override = configured.override_local if chosen.override_local is None else chosen.override_local
    resolvers = configured.nameservers if chosen.nameservers is None else chosen.nameservers
    if override and not resolvers:
        raise RefusedError(
            "overriding the resolvers of machines needs some to put in their place: set nameservers first, "
            "or turn the override off"
        )
