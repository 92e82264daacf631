"""The offline form of a tailnet."""

import pytest

from hatsize.policy import PolicyError, Topology, from_golden
from hatsize.policy.topology import approved_routes

NODE = {"hostname": "gate", "ipv4": "100.64.0.1", "tags": ["tag:a"], "routable_ips": ["10.0.0.0/8", "::/0"]}


def test_users_and_nodes_with_the_tailnets_settings():
    topology = from_golden(
        {
            "tailnet": "ann@x.io",
            "tailnet_config": {"dns": {"magic_dns": False}, "settings": {"devices_auto_updates_on": True}},
            "users": [{"id": 1, "name": "ann", "email": "ann@x.io", "role": "owner"}],
            "nodes": {"gate": {**NODE, "approved_routes": ["10.0.0.0/8", "172.16.0.0/12"]}, "pc": {"user": "ann"}},
        }
    )
    by_name = {node.given_name: node for node in topology.nodes.values()}
    assert (topology.domain, topology.display_name) == ("x.io", "ann@x.io")
    assert (topology.magic_dns, topology.auto_updates) == (False, True)
    assert topology.user_of(by_name["pc"]).login_name == "ann@x.io"
    assert topology.user_of(by_name["gate"]) is None
    assert approved_routes(by_name["gate"]) == ("10.0.0.0/8",)


def test_nodes_get_their_ids_in_the_natural_order_of_their_names():
    topology = from_golden({"users": [], "nodes": {name: {} for name in ("gate-10", "gate-2", "a")}})
    assert [node.given_name for _, node in sorted(topology.nodes.items())] == ["a", "gate-2", "gate-10"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"users": [], "nodes": []},
        {"users": [{}], "nodes": {}},
        {"users": [], "nodes": {"a": {"user": "nobody"}}},
        {"users": [{"name": "a", "role": "king"}], "nodes": {}},
    ],
)
def test_another_form_is_refused(data):
    with pytest.raises(PolicyError, match="the topology is not in the expected form"):
        from_golden(data)


def test_nodes_come_and_go():
    topology = from_golden({"users": [], "nodes": {"a": {}}})
    assert topology.without_node(1).nodes == {}
    assert Topology().with_node(topology.nodes[1]).nodes == topology.nodes
