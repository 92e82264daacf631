"""DERP maps from files and URLs."""

import json

import anyio
import pytest

from hatsize.derp.map import DERPMapError, embedded_region
from hatsize.derp.map_sources import MapSources, parse
from hatsize.wire.tailcfg import DERPMap

OWN = DERPMap(Regions={999: embedded_region("203.0.113.7", derp_port=443, stun_port=3478)})
YAML = b"""
regions:
  900:
    regionid: 900
    regioncode: custom
    regionname: My Region
    nodes:
      - name: 900a
        regionid: 900
        hostname: myderp.mydomain.no
        ipv4: 198.51.100.1
        stunport: 0
        stunonly: false
        derpport: 0
  2: null
"""


def as_json(*numbers):
    regions = {
        str(number): {
            "RegionID": number,
            "RegionCode": "r",
            "RegionName": "R",
            "Nodes": [{"Name": f"{number}a", "RegionID": number, "HostName": f"derp{number}.example.com"}],
        }
        for number in numbers
    }
    return json.dumps({"Regions": regions}).encode()


class Web:
    """URLs and what they answer; an unknown one cannot be reached."""

    def __init__(self, **pages):
        self.pages = pages

    async def fetch(self, url):
        if url not in self.pages:
            raise OSError("connection refused")
        return self.pages[url]


def test_headscale_s_yaml():
    regions = parse(YAML, "derp.yaml").Regions
    assert regions[900].Nodes[0].HostName == "myderp.mydomain.no"
    assert regions[2] is None


def test_json():
    assert list(parse(as_json(1, 2), "https://example.com").Regions) == [1, 2]


@pytest.mark.parametrize(
    "text", [b"a: [", b"[]", b"text", b"\xff", b"Regions: {900: 7}", b"regions: {1: {}}", b"d: 2020-01-01\nregions: 5"]
)
def test_what_is_no_map_names_its_source(text):
    with pytest.raises(DERPMapError, match=r"derp\.yaml"):
        parse(text, "derp.yaml")


@pytest.mark.anyio
async def test_all_sources_make_one_map(tmp_path):
    file = tmp_path / "derp.yaml"
    file.write_bytes(YAML)
    sources = MapSources(urls=["one"], paths=[file], own=OWN, fetch=Web(one=as_json(1, 2)).fetch)
    assert set((await sources.load()).Regions) == {1, 900, 999}


@pytest.mark.anyio
async def test_a_url_that_fails_at_start_is_missed_with_a_warning(caplog):
    sources = MapSources(urls=["gone", "one", "bad"], own=OWN, fetch=Web(one=as_json(1), bad=b"[").fetch)
    assert set((await sources.load()).Regions) == {1, 999}
    assert "no DERP map from gone: connection refused" in caplog.text
    assert "an unusable DERP map: bad" in caplog.text


@pytest.mark.anyio
async def test_a_file_that_fails_at_start_stops_it(tmp_path):
    sources = MapSources(paths=[tmp_path / "missing.yaml"], own=OWN, fetch=Web().fetch)
    with pytest.raises(DERPMapError, match="No such file"):
        await sources.load()


@pytest.mark.anyio
async def test_a_refresh_tells_of_changes_and_keeps_what_a_failing_source_said(tmp_path):
    web, told = Web(one=as_json(1), two=as_json(2)), []
    file = tmp_path / "derp.yaml"
    file.write_bytes(YAML.replace(b"2: null", b""))
    sources = MapSources(urls=["one", "two"], paths=[file], own=OWN, fetch=web.fetch)
    await sources.load()
    first, second = anyio.Event(), anyio.Event()

    async def changed(new):
        told.append(set(new.Regions))
        (second if first.is_set() else first).set()

    async with anyio.create_task_group() as group:
        group.start_soon(sources.refresh, 0.01, changed)
        del web.pages["two"]
        web.pages["one"] = as_json(1, 3)
        await first.wait()
        file.unlink()
        web.pages["one"] = as_json(4)
        await second.wait()
        group.cancel_scope.cancel()
    assert told == [{1, 2, 3, 900, 999}, {2, 4, 900, 999}]


@pytest.mark.anyio
async def test_maps_that_do_not_fit_together_change_nothing(caplog):
    theirs = as_json(1).replace(b"1a", b"999a")
    sources = MapSources(urls=["one"], own=OWN, fetch=Web(one=theirs).fetch)
    assert await sources.load() == OWN
    assert "stays as it was" in caplog.text
