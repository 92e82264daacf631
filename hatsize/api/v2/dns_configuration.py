"""API v2: the whole of the DNS settings at once."""

from collections.abc import Mapping, Sequence

from msgspec import field

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Body
from hatsize.api.v2.dns import chosen, update
from hatsize.api.v2.dns_split import without_null
from hatsize.tailnet.commands.dns import DnsUpdate
from hatsize.tailnet.dns import WITH_EXIT_NODE, resolver_of

area = Area("DNS")
PATH = "/tailnet/{tailnet}/dns/configuration"


class Nameserver(Body):
    address: str
    """An address, or an `https://` URL of DNS over HTTPS."""
    use_with_exit_node: bool = False
    """Whether it is asked while a machine goes through an exit node too."""


class ConfiguredPreferences(Body):
    override_local_dns: bool = field(default=False, name="overrideLocalDNS")
    """Whether the nameservers replace the resolvers a machine has; else they stand in where it has none."""
    magic_dns: bool = field(default=False, name="magicDNS")


class Configuration(Body):
    """What is left out is empty, or off."""

    nameservers: list[Nameserver] | None = None
    split_dns: dict[str, list[Nameserver] | None] | None = field(default=None, name="splitDNS")
    search_paths: list[str] | None = None
    preferences: ConfiguredPreferences = field(default_factory=ConfiguredPreferences)


@area.add("GET", PATH, "getDnsConfiguration", "Show the DNS settings", scope="dns:read")
async def get_configuration(call: Call) -> Configuration:
    now = chosen(call)
    return Configuration(
        nameservers=_nameservers(now.nameservers),
        split_dns={domain: _nameservers(resolvers) for domain, resolvers in now.split.items()},
        search_paths=list(now.search_domains),
        preferences=ConfiguredPreferences(override_local_dns=now.override_local, magic_dns=now.magic_dns),
    )


@area.add("POST", PATH, "setDnsConfiguration", "Set all of the DNS settings", scope="dns")
async def set_configuration(call: Call, body: Configuration) -> Configuration:
    split: Mapping[str, Sequence[Nameserver]] = without_null(body.split_dns or {})
    wanted = DnsUpdate(
        magic_dns=body.preferences.magic_dns,
        override_local=body.preferences.override_local_dns,
        nameservers=_resolvers(body.nameservers or []),
        split={domain: _resolvers(given) for domain, given in split.items()},
        search_domains=body.search_paths or [],
    )
    await update(call, wanted)
    return await get_configuration(call)


def _nameservers(resolvers: Sequence[str]) -> list[Nameserver]:
    """In the order of their addresses, as Terraform's provider takes them to be: it looks them up by bisection."""
    told = sorted(map(resolver_of, resolvers), key=lambda resolver: resolver.Addr)
    return [Nameserver(address=one.Addr, use_with_exit_node=one.UseWithExitNode) for one in told]


def _resolvers(given: Sequence[Nameserver]) -> list[str]:
    return [one.address + (WITH_EXIT_NODE if one.use_with_exit_node else "") for one in given]
