"""API v2: nameservers, search paths and MagicDNS, each by itself.

Unlike with the hosted service, MagicDNS needs no nameservers and stays as it is when the last one goes.
"""

from msgspec import field

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Body
from hatsize.tailnet.commands.dns import DnsUpdate, change_dns, set_nameservers
from hatsize.tailnet.dns import DnsChoice, in_force

area = Area("DNS")


class GivenNameservers(Body):
    dns: list[str] | None
    """Addresses, or `https://` URLs; `#with-exit-node` stands behind one that is asked through exit nodes too."""


class NameserversAnswer(Answer):
    dns: list[str]


class NameserversSetAnswer(NameserversAnswer):
    magic_dns: bool = field(name="magicDNS")


class Preferences(Body):
    magic_dns: bool = field(name="magicDNS")
    """Whether clients resolve the names of nodes."""


class GivenSearchPaths(Body):
    search_paths: list[str] | None


class SearchPathsAnswer(Answer):
    search_paths: list[str]


@area.add("GET", "/tailnet/{tailnet}/dns/nameservers", "listDnsNameservers", "List nameservers", scope="dns:read")
async def get_nameservers(call: Call) -> NameserversAnswer:
    return NameserversAnswer(dns=list(chosen(call).nameservers))


@area.add("POST", "/tailnet/{tailnet}/dns/nameservers", "setDnsNameservers", "Set the nameservers", scope="dns")
async def set_dns_nameservers(call: Call, body: GivenNameservers) -> NameserversSetAnswer:
    await call.run(lambda state: set_nameservers(state, body.dns or [], call.now))
    now = chosen(call)
    return NameserversSetAnswer(dns=list(now.nameservers), magic_dns=now.magic_dns)


@area.add("GET", "/tailnet/{tailnet}/dns/preferences", "getDnsPreferences", "Tell if MagicDNS is on", scope="dns:read")
async def get_preferences(call: Call) -> Preferences:
    return Preferences(magic_dns=chosen(call).magic_dns)


@area.add("POST", "/tailnet/{tailnet}/dns/preferences", "setDnsPreferences", "Turn MagicDNS on or off", scope="dns")
async def set_preferences(call: Call, body: Preferences) -> Preferences:
    await update(call, DnsUpdate(magic_dns=body.magic_dns))
    return await get_preferences(call)


@area.add("GET", "/tailnet/{tailnet}/dns/searchpaths", "listDnsSearchPaths", "List search domains", scope="dns:read")
async def get_search_paths(call: Call) -> SearchPathsAnswer:
    return SearchPathsAnswer(search_paths=list(chosen(call).search_domains))


@area.add("POST", "/tailnet/{tailnet}/dns/searchpaths", "setDnsSearchPaths", "Set the search domains", scope="dns")
async def set_search_paths(call: Call, body: GivenSearchPaths) -> SearchPathsAnswer:
    await update(call, DnsUpdate(search_domains=body.search_paths or []))
    return await get_search_paths(call)


def chosen(call: Call) -> DnsChoice:
    """The DNS settings in force."""
    return in_force(call.live.state, call.live.dns.configured)


async def update(call: Call, wanted: DnsUpdate) -> None:
    configured = call.live.dns.configured
    await call.run(lambda state: change_dns(state, wanted, configured, call.now))
