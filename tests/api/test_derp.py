"""The DERP map as the API shows it."""

import msgspec
import pytest

from hatsize.wire.tailcfg import DERPMap, decode

pytestmark = pytest.mark.anyio


async def test_the_map_is_shown_as_clients_are_sent_it(api, live):
    answer = await (await api("GET", "/api/v1/derpmap")).get_json()
    assert decode(DERPMap, msgspec.json.encode(answer["derpMap"])) == live.derp_map()
    assert answer["derpMap"]["Regions"]["900"]["Nodes"][0]["HostName"] == "relay.example.com"
