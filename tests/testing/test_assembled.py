"""What a client makes of map responses: protocol fact sheet, 5.3 to 5.5."""

import pytest

from hatsize.testing.assembled import AssembledNetmap

OWN = {"ID": 1, "Name": "me.net."}


def peer(node_id, **fields):
    return {"ID": node_id, "Name": f"n{node_id}.net.", "Online": False, **fields}


@pytest.fixture
def netmap():
    assembled = AssembledNetmap()
    assembled.apply({"Node": OWN, "Peers": [peer(2), peer(3)], "PacketFilters": {"*": None, "base": [1], "x": [2]}})
    return assembled


def test_the_first_message_must_tell_the_node_itself():
    with pytest.raises(ValueError, match="holds no Node"):
        AssembledNetmap().apply({"Peers": [peer(2)]})


def test_a_keepalive_tells_nothing(netmap):
    netmap.apply({"KeepAlive": True, "Peers": [peer(9)]})
    assert (netmap.keepalives, netmap.peer_names) == (1, ["n2", "n3"])


def test_peers_replace_all_and_make_other_deltas_void(netmap):
    netmap.apply({"Peers": [peer(4)], "PeersChanged": [peer(5)], "OnlineChange": {"4": True}})
    assert netmap.peers == {4: peer(4)}


def test_no_peers_change_nothing(netmap):
    netmap.apply({"Peers": []})
    assert netmap.peer_names == ["n2", "n3"]


def test_deltas_are_applied_in_their_order(netmap):
    netmap.apply(
        {
            "PeersChangedPatch": [{"NodeID": 3, "Online": False, "DERPRegion": 7}, {"NodeID": 99, "Online": True}],
            "OnlineChange": {"3": True},
            "PeersChanged": [peer(2, Tags=["tag:a"]), peer(4)],
            "PeersRemoved": [2],
        }
    )
    assert netmap.peers[2] == peer(2, Tags=["tag:a"])
    assert netmap.peers[3] == peer(3, HomeDERP=7, DERP="127.3.3.40:7")
    assert netmap.peer_names == ["n2", "n3", "n4"]


def test_filters_are_merged_by_name(netmap):
    netmap.apply({"PacketFilters": {"x": None, "y": [3]}})
    assert netmap.filters == {"base": [1], "y": [3]}
    netmap.apply({"PacketFilters": {"*": None, "base": []}})
    assert netmap.filters == {"base": []}


def test_what_is_left_out_is_unchanged(netmap):
    netmap.apply({"DNSConfig": {"Proxied": True}})
    netmap.apply({"Domain": "net"})
    assert (netmap.own, netmap.rest) == (OWN, {"DNSConfig": {"Proxied": True}, "Domain": "net"})
