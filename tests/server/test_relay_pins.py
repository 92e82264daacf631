"""Which certificate the DERP map pins for the server's own relay."""

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("settings", "pinned"),
    [
        ({}, True),
        ({"server_url": "http://hatsize.example.com"}, True),
        ({"server_url": "https://hatsize.example.com"}, False),  # a reverse proxy shows its own certificate
        ({"server_url": "https://hatsize.example.com", "derp": {"process": True}}, True),  # it is past the proxy
    ],
)
async def test_the_servers_own_certificate_is_pinned_where_clients_see_it(hatsize_server, settings, pinned):
    async with hatsize_server(settings) as server:
        (node,) = server.parts.relay_map(115).Regions[900].Nodes
        assert node.CertName.startswith("sha256-raw:") is pinned
