"""Services of plugins that break while the server runs: counted, said in words, and nobody else's trouble."""

from dataclasses import replace

import pytest

from hatsize.tailnet.model import Node
from hatsize.wire.tailcfg import Resolver

pytestmark = pytest.mark.anyio


class Broken:
    name = "broken"

    def configure(self, state, node, config):
        raise ValueError("hinges")

    def allocate(self, request):
        raise ValueError("hinges")


class Fine:
    name = "fine"

    def configure(self, state, node, config):
        from msgspec.structs import replace

        return replace(config, Resolvers=(Resolver(Addr="192.0.2.53"),))


async def test_a_dns_provider_that_fails_leaves_out_only_what_it_would_say(tailnet, fake_client):
    tailnet.services.dns.extend([Broken(), Fine()])
    async with fake_client("desk") as client:
        await client.register(await tailnet.auth_key())
        stream = await client.poll()
        netmap = await stream.until(lambda netmap: netmap.own)
        stream.close()
    assert netmap.rest["DNSConfig"]["Resolvers"] == [{"Addr": "192.0.2.53"}]
    assert tailnet.services.plugins.ledger.errors["broken", "DNSProvider.configure"] > 0


async def test_an_allocator_that_fails_is_said_to_and_nobody_joins_without_addresses(tailnet, fake_client):
    tailnet.live.services = replace(tailnet.live.services, allocator=Broken())
    async with fake_client("desk") as client:
        answer = await client.register(await tailnet.auth_key())
    assert "allocator 'broken' has failed" in answer.Error
    assert "hinges" not in answer.Error
    assert not tailnet.state.table(Node)
