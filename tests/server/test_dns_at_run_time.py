"""Nodes are told of DNS as it changes, while the server runs."""

import pytest

from hatsize.server.aliases import Aliases
from hatsize.tailnet.commands.dns import DnsUpdate, change_dns, set_split
from hatsize.tailnet.commands.dns_records import add_record
from hatsize.tailnet.commands.nodes import rename_node
from hatsize.tailnet.dns import DnsChoice

pytestmark = pytest.mark.anyio
CONFIGURED = DnsChoice()
POLICY = '{"grants": [], "nodeAttrs": [{"target": ["alice@"], "attr": ["resolver:10.9.0.53"]}]}'


@pytest.fixture
async def stream(tailnet, fake_client):
    """What a node of alice's is told of its tailnet."""
    tailnet.live.listen(Aliases(tailnet.live).changed)
    async with fake_client("laptop") as client:
        await client.register(await tailnet.auth_key())
        yield await client.poll()


async def run(tailnet, command, *given):
    await tailnet.live.run(lambda state: command(state, *given, tailnet.clock()))


def dns(netmap):
    return netmap.rest["DNSConfig"]


def resolvers(netmap):
    return [resolver["Addr"] for resolver in dns(netmap).get("Resolvers", [])]


async def test_resolvers_change_and_go_back(tailnet, stream):
    await run(tailnet, change_dns, DnsUpdate(nameservers=["9.9.9.9"], override_local=True), CONFIGURED)
    await stream.until(lambda netmap: resolvers(netmap) == ["9.9.9.9"])
    await run(tailnet, change_dns, DnsUpdate(nameservers=None, override_local=None), CONFIGURED)
    await stream.until(lambda netmap: resolvers(netmap) == [])


async def test_single_domains_search_domains_and_magic_dns_change(tailnet, stream):
    await run(tailnet, set_split, "corp.example", ["10.0.0.53"], CONFIGURED)
    await stream.until(lambda netmap: dns(netmap)["Routes"].get("corp.example") == [{"Addr": "10.0.0.53"}])
    await run(tailnet, change_dns, DnsUpdate(search_domains=["corp.example"], magic_dns=False), CONFIGURED)
    await stream.until(lambda netmap: dns(netmap)["Domains"] == ["corp.example"] and not dns(netmap).get("Proxied"))


async def test_an_alias_follows_its_node(tailnet, stream):
    await run(tailnet, add_record, "www.example", "CNAME", "web.tailnet.internal")
    await stream.until(lambda netmap: netmap.messages and not dns(netmap).get("ExtraRecords"))
    await run(tailnet, rename_node, tailnet.node("laptop").id, "web")
    addresses = list(tailnet.node("web").addresses)
    await stream.until(lambda netmap: [each["Value"] for each in dns(netmap).get("ExtraRecords", [])] == addresses)


async def test_a_nodes_own_resolvers_come_with_the_policy_and_go_with_it(tailnet, stream):
    await tailnet.save_policy(POLICY)
    await stream.until(lambda netmap: resolvers(netmap) == ["10.9.0.53"])
    await tailnet.save_policy('{"grants": []}')
    await stream.until(lambda netmap: resolvers(netmap) == [])
