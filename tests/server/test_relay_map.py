"""The own relay in the DERP map that clients are given."""

import pytest

from hatsize.server.address import place_of
from hatsize.server.relay_map import RelayMap
from hatsize.server.settings import Settings
from hatsize.wire.tailcfg import DERPNode

pytestmark = pytest.mark.anyio
NODE = DERPNode(Name="900b", RegionID=900, HostName="other.example.com")
FILE = "regions: {900: {regionid: 900, regioncode: own, nodes: [{name: 900z, regionid: 900, hostname: r.example.com}]}}"


def mapped(**derp):
    settings = Settings.model_validate({"server_url": "https://hs.example.com", "derp": derp})
    return RelayMap(settings, place_of(settings), "")


def hosts(relay_map):
    return [node.HostName for region in relay_map(130).Regions.values() for node in region.Nodes]


async def test_clients_are_told_of_the_relay_by_itself():
    relay_map = mapped()
    await relay_map.load()
    assert hosts(relay_map) == ["hs.example.com"]


@pytest.mark.parametrize("derp", [{"enabled": False}, {"in_map": False}])
async def test_one_that_is_off_or_kept_to_itself_is_not_in_the_map(derp):
    relay_map = mapped(**derp)
    await relay_map.load()
    assert hosts(relay_map) == []


async def test_one_kept_to_itself_stays_so_when_its_region_has_other_relays():
    relay_map = mapped(in_map=False)
    await relay_map.load()
    assert not relay_map.show([NODE])
    assert hosts(relay_map) == []


async def test_a_file_may_tell_of_it_in_its_own_way(tmp_path):
    (tmp_path / "derp.yaml").write_text(FILE)
    relay_map = mapped(in_map=False, paths=[str(tmp_path / "derp.yaml")])
    await relay_map.load()
    assert hosts(relay_map) == ["r.example.com"]
