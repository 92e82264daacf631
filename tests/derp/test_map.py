"""The DERP map: merging, fitting it to a client, and what is wrong with one."""

import re

import msgspec
import pytest

from hatsize.derp.map import DERPMapError, check, embedded_region, for_version, merge
from hatsize.wire.tailcfg import DERPHomeParams, DERPMap, DERPNode, DERPRegion

PIN = "sha256-raw:" + "ab" * 32


def region(number=900, **changes):
    node = DERPNode(Name=f"{number}a", RegionID=number, HostName="derp.example.com")
    plain = DERPRegion(RegionID=number, RegionCode="ber", RegionName="Berlin", Nodes=[node])
    return msgspec.structs.replace(plain, **changes)


def node(**changes):
    return DERPNode(**{"Name": "900a", "RegionID": 900, "HostName": "derp.example.com"} | changes)


class TestMerging:
    def test_later_regions_replace_earlier_ones(self):
        merged = merge([DERPMap(Regions={900: region()}), DERPMap(Regions={900: region(RegionName="New")})])
        assert merged.Regions == {900: region(RegionName="New")}

    def test_null_removes(self):
        merged = merge([DERPMap(Regions={1: region(1), 2: region(2)}), DERPMap(Regions={1: None, 3: None})])
        assert merged.Regions == {2: region(2)}

    def test_omitting_the_defaults_begins_anew(self):
        policy = DERPMap(Regions={900: region()}, OmitDefaultRegions=True)
        merged = merge([DERPMap(Regions={1: region(1)}), policy])
        assert merged.Regions == {900: region()}
        assert not merged.OmitDefaultRegions

    def test_home_scores_add_up(self):
        maps = [DERPMap(HomeParams=DERPHomeParams(RegionScore=scores)) for scores in ({1: 0.5, 2: 2.0}, {2: 3.0})]
        assert merge(maps).HomeParams == DERPHomeParams(RegionScore={1: 0.5, 2: 3.0})

    def test_nothing_makes_an_empty_map(self):
        assert merge([]) == DERPMap(Regions={})


class TestVersions:
    def test_a_pin_is_for_clients_that_verify_it(self):
        pinned = DERPMap(Regions={900: region(Nodes=[node(CertName=PIN), node(Name="900b")])})
        assert for_version(pinned, 115) is pinned
        old = for_version(pinned, 114)
        assert [(each.CertName, each.InsecureForTests) for each in old.Regions[900].Nodes] == [("", True), ("", False)]

    def test_another_name_for_the_certificate_is_for_all(self):
        fronted = DERPMap(Regions={900: region(Nodes=[node(CertName="cdn.example.com")]), 1: None})
        assert for_version(fronted, 113) == fronted


class TestEmbedded:
    def test_the_server_s_own_region(self):
        own = embedded_region("203.0.113.7", derp_port=8080, stun_port=3478, pin=PIN)
        assert own.RegionID == 999
        assert own.RegionCode == "hatsize"
        assert own.Nodes[0] == DERPNode(
            Name="999a", RegionID=999, HostName="203.0.113.7", CertName=PIN, DERPPort=8080, STUNPort=0
        )
        check(DERPMap(Regions={999: own}))

    def test_the_usual_port_needs_no_mention(self):
        assert embedded_region("derp.example.com", derp_port=443, stun_port=-1).Nodes[0].DERPPort == 0


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({901: region()}, "region 901 says RegionID 900"),
        ({70000: region(70000)}, "between 1 and 65535"),
        ({900: region(RegionCode="")}, "no RegionCode"),
        ({900: region(Nodes=[])}, "no nodes"),
        ({900: region(Nodes=[node(), node()])}, "a node named '900a' too"),
        ({900: region(Nodes=[node(Name="")])}, "no Name"),
        ({900: region(Nodes=[node(RegionID=1)])}, "write 900"),
        ({900: region(Nodes=[node(HostName="")])}, "no HostName"),
        ({900: region(Nodes=[node(HostName="a..example")])}, "'a..example' is no name that DNS could have"),
        ({900: region(Nodes=[node(IPv4="::1")])}, "IPv4 '::1' is neither"),
        ({900: region(Nodes=[node(IPv6="nowhere")])}, "IPv6 'nowhere' is neither"),
        ({900: region(Nodes=[node(DERPPort=65536)])}, "DERPPort 65536"),
        ({900: region(Nodes=[node(STUNPort=-2)])}, "STUNPort -2"),
        ({900: region(Nodes=[node(CertName="sha256-raw:AB")])}, "64 hexadecimal digits"),
    ],
)
def test_what_clients_could_not_use_is_refused_in_words(broken, says):
    with pytest.raises(DERPMapError, match=re.escape(says)):
        check(DERPMap(Regions=broken))


def test_a_home_score_is_positive():
    with pytest.raises(DERPMapError, match="home score"):
        check(DERPMap(Regions={}, HomeParams=DERPHomeParams(RegionScore={1: 0.0})))


def test_what_is_right_passes():
    fine = DERPMap(Regions={900: region(Nodes=[node(IPv4="192.0.2.1", IPv6="none", STUNPort=-1)]), 1: None})
    assert check(fine) is fine
