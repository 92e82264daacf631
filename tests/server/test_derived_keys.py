"""Plugins have keys of the server's for what they seal: the same ones at each replica and after a restart."""

import pytest

from hatsize.server.derived_keys import derived_key
from hatsize.testing.web import plugin_server
from hatsize.wire.keys import PrivateKey

NOISE = PrivateKey(bytes(range(32)))


def test_it_is_the_same_for_one_server_and_purpose():
    assert derived_key(NOISE, "door:visits") == derived_key(PrivateKey(NOISE.raw), "door:visits")
    # stays as it is over versions: what was sealed before an update is opened after it
    assert derived_key(NOISE, "door:visits").hex() == "c8b2efffdfb4ed6a8ef91047975bc7b0a86ae89a8a580d53bbc0d08e72aa106f"


def test_other_purposes_and_servers_have_others():
    keys = {
        derived_key(NOISE, "door:visits"),
        derived_key(NOISE, "door:guests"),
        derived_key(PrivateKey.generate(), "door:visits"),
    }
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3
    assert NOISE.raw not in keys


@pytest.mark.anyio
async def test_plugins_get_them_from_the_server(tailnet):
    server = plugin_server(tailnet)
    assert server.derived_key("door:visits") == server.derived_key("door:visits")
    assert server.derived_key("door:visits") != plugin_server(tailnet).derived_key("door:visits")
