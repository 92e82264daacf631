"""Which certificate the DERP map pins for the server's own relay."""

import pytest

from hatsize.testing.server import free_port

pytestmark = pytest.mark.anyio


def is_pinned(server):
    (node,) = server.parts.relay_map(115).Regions[900].Nodes
    return node.CertName.startswith("sha256-raw:")


@pytest.mark.parametrize(
    ("settings", "pinned"),
    [
        ({}, True),
        ({"server_url": "http://hatsize.example.com"}, True),
        ({"server_url": "https://hatsize.example.com"}, False),  # a reverse proxy shows its own certificate
    ],
)
async def test_the_servers_own_certificate_is_pinned_where_clients_see_it(hatsize_server, settings, pinned):
    async with hatsize_server(settings) as server:
        assert is_pinned(server) is pinned


async def test_a_relay_beside_the_server_is_past_the_proxy(hatsize_server):
    beside = {"process": True, "listen": [f"127.0.0.1:{free_port()}"]}
    async with hatsize_server({"server_url": "https://hatsize.example.com", "derp": beside}) as server:
        assert is_pinned(server)
