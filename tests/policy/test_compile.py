"""What each construct of the language sends to whom, on a small tailnet."""

import msgspec
import pytest

from hatsize.policy.update import update

ANYONE = "10.1.0.0/16,100.115.94.0-100.127.255.255,100.64.0.0-100.115.91.255,fd7a:115c:a1e0::/48"


def accept(src, dst, **more):
    return {"action": "accept", "src": src, "dst": dst, **more}


@pytest.mark.parametrize("policy", [{}, {"groups": {}}])
def test_without_rules_everybody_reaches_everything(tailnet, policy):
    assert tailnet(policy).filter("web") == [f"{ANYONE} > *:*"]


@pytest.mark.parametrize("policy", [{"acls": []}, {"grants": []}])
def test_with_an_empty_list_of_rules_nobody_reaches_anything(tailnet, policy):
    net = tailnet(policy)
    assert net.filter("web") == []
    assert net.sees("web") == set()


@pytest.mark.parametrize(
    ("src", "sources"),
    [
        ("ann@x.io", "ann-1,ann-2"),
        ("cyd@", "cyd-1"),
        ("user:*@x.io", "ann-1,ann-2,bob-1"),
        ("group:team", "ann-1,ann-2,bob-1"),
        ("group:synced@x.io", "bob-1"),
        ("tag:db", "db"),
        ("autogroup:owner", "ann-1,ann-2"),
        ("autogroup:admin", "ann-1,ann-2"),
        ("autogroup:auditor", "cyd-1"),
        ("autogroup:members", "ann-1,ann-2,bob-1,cyd-1"),
        ("autogroup:tagged", "web,db,gate,spare,exit"),
        ("autogroup:danger-all", "*"),
        ("lab", "10.1.2.0/24"),
        ("100.64.0.3", "bob-1"),
        ("ipset:some", "ann-1,bob-1"),
    ],
)
def test_sources(tailnet, src, sources):
    net = tailnet(
        {
            "acls": [accept([src], ["tag:web:80"])],
            "groups": {"group:team": ["ann@x.io", "BOB@x.io"]},
            "hosts": {"lab": "10.1.2.0/24"},
            "ipsets": {"ipset:some": ["add 100.64.0.1-100.64.0.3", "remove 100.64.0.2"]},
        }
    )
    assert net.filter("web") == [f"{sources} > web:80"]
    assert net.filter("db") == []


def test_everyone_as_a_source_includes_the_networks_behind_routers(tailnet):
    assert tailnet({"acls": [accept(["*"], ["tag:web:80"])]}).filter("web") == [f"{ANYONE} > web:80"]


def test_a_router_gets_the_rules_for_what_is_behind_it(tailnet):
    net = tailnet({"acls": [accept(["ann@x.io"], ["10.1.2.0/24:22"])]})
    assert net.filter("gate") == net.filter("spare") == ["ann-1,ann-2 > 10.1.2.0/24:22"]
    assert net.sees("ann-1") == {"gate", "spare"}
    assert net.sees("bob-1") == set()


def test_rules_of_equal_source_and_protocol_are_one(tailnet):
    net = tailnet(
        {
            "acls": [
                accept(["ann@x.io"], ["tag:web:22"]),
                accept(["autogroup:owner"], ["tag:web:80,443"]),
                accept(["ann@x.io"], ["tag:web:53"], proto="udp"),
            ]
        }
    )
    assert net.filter("web") == ["ann-1,ann-2 > web:22 web:80 web:443", "ann-1,ann-2 > web:53 17"]


def test_grants_open_each_protocol_by_itself(tailnet):
    net = tailnet({"grants": [{"src": ["bob@x.io"], "dst": ["tag:web"], "ip": ["22", "tcp:80-90", "icmp:*"]}]})
    assert net.filter("web") == ["bob-1 > web:* 1", "bob-1 > web:22", "bob-1 > web:80-90 6"]


def test_self_is_between_the_devices_of_one_user(tailnet):
    net = tailnet({"acls": [accept(["autogroup:member"], ["autogroup:self:*"])]})
    assert net.filter("ann-1") == ["ann-1,ann-2 > ann-1:*"]
    assert net.filter("bob-1") == ["bob-1 > bob-1:*"]
    assert net.filter("web") == []
    assert net.sees("ann-1") == {"ann-2"}


def test_the_internet_is_what_exit_nodes_serve(tailnet):
    net = tailnet({"acls": [accept(["ann@x.io"], ["autogroup:internet:*"])]})
    assert len(net.filter("exit")) == 1
    assert "8.0.0.0/7:*" in net.filter("exit")[0]
    assert net.routes("ann-1", "exit") == ["0.0.0.0/0", "::/0"]
    assert net.filter("gate") == []
    assert net.sees("bob-1") == set()


def test_via_picks_the_router(tailnet):
    lab = "10.1.0.0/16"
    net = tailnet(
        {
            "grants": [
                {"src": ["ann@x.io"], "dst": [lab], "ip": ["*"], "via": ["tag:spare"]},
                {"src": ["bob@x.io"], "dst": [lab], "ip": ["*"]},
                {"src": ["tag:gate"], "dst": ["ann@x.io", "bob@x.io"], "ip": ["*"]},
            ]
        }
    )
    assert net.filter("spare") == [f"ann-1,ann-2 > {lab}:*", f"bob-1 > {lab}:*"]
    assert (net.routes("ann-1", "spare"), net.routes("ann-1", "gate")) == ([lab], [])
    assert (net.routes("bob-1", "spare"), net.routes("bob-1", "gate")) == ([], [lab])
    assert net.compiled.route_variant(net.ids["ann-1"], net.ids["gate"]) != net.compiled.route_variant(
        net.ids["bob-1"], net.ids["gate"]
    )


def test_via_the_internet_leaves_the_other_exit_nodes_out(tailnet, small):
    nodes = {**small.nodes, "other": small.router(10, "tag:spare", "0.0.0.0/0", "::/0")}
    net = tailnet(
        {
            "grants": [
                {"src": ["ann@x.io"], "dst": ["autogroup:internet"], "ip": ["*"], "via": ["tag:exit"]},
                {"src": ["ann@x.io"], "dst": ["tag:spare"], "ip": ["*"]},
            ]
        },
        nodes,
    )
    assert net.routes("ann-1", "exit") == ["0.0.0.0/0", "::/0"]
    assert net.routes("ann-1", "other") == []
    assert net.compiled.primary_routes(net.ids["ann-1"], net.ids["exit"]) == ()


def test_capabilities_and_those_in_return(tailnet):
    net = tailnet(
        {"grants": [{"src": ["bob@x.io"], "dst": ["tag:web"], "app": {"tailscale.com/cap/drive": [{"access": "ro"}]}}]}
    )
    assert net.filter("web") == ['bob-1 > web {"tailscale.com/cap/drive": [{"access": "ro"}]}']
    assert net.filter("bob-1") == ['web > bob-1 {"tailscale.com/cap/drive-sharer": null}']
    assert net.sees("bob-1") == {"web"}


def test_postures_choose_among_a_users_devices(tailnet):
    policy = {
        "postures": {"posture:tier": ["custom:tier >= 2"]},
        "acls": [accept(["ann@x.io"], ["tag:web:80"], srcPosture=["posture:tier"])],
    }
    assert tailnet(policy).filter("web") == ["ann-2 > web:80"]
    policy = {**policy, "acls": [accept(["*"], ["tag:web:80"])], "defaultSrcPosture": ["posture:tier"]}
    assert tailnet(policy).filter("web") == ["ann-2 > web:80"]
    policy["acls"] = [accept(["*"], ["tag:web:80"], srcPosture=[])]
    assert tailnet(policy).filter("web") == [f"{ANYONE} > web:80"]


def test_ssh_checks_come_before_accepts(tailnet):
    net = tailnet(
        {
            "ssh": [
                {"action": "accept", "src": ["bob@x.io"], "dst": ["tag:web"], "users": ["autogroup:nonroot"]},
                {"action": "check", "src": ["ann@x.io"], "dst": ["tag:web"], "users": ["root", "ubuntu"]},
                {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]},
            ]
        }
    )
    assert net.ssh("web") == [
        ("check", "ann-1,ann-2", {"root": "root", "ubuntu": "ubuntu"}),
        ("accept", "bob-1", {"root": "", "*": "="}),
    ]
    assert net.ssh("bob-1") == [("accept", "bob-1", {"root": "root"})]
    assert net.ssh("db") == []


def test_ssh_to_the_account_of_ones_own_name(tailnet):
    rule = {"action": "accept", "src": ["autogroup:member"], "dst": ["tag:web"], "users": ["localpart:*@x.io"]}
    assert tailnet({"ssh": [rule]}).ssh("web") == [
        ("accept", "ann-1,ann-2", {"root": ""}),
        ("accept", "ann-1,ann-2", {"ann": "ann"}),
        ("accept", "bob-1", {"root": ""}),
        ("accept", "bob-1", {"bob": "bob"}),
        ("accept", "cyd-1", {"root": ""}),
    ]


def test_recorded_ssh_sessions(tailnet):
    rule = {
        "action": "accept", "src": ["bob@x.io"], "dst": ["tag:web"], "users": ["root"],
        "recorder": ["tag:db"], "enforceRecorder": True,
    }  # fmt: skip
    net = tailnet({"ssh": [rule]})
    action = net.compiled.ssh_policy(net.ids["web"]).Rules[0].Action
    assert action.Recorders == ("100.64.0.6:80", "[fd7a:115c:a1e0::6]:80")
    assert action.OnRecordingFailure is not None


def test_node_attributes(tailnet):
    net = tailnet(
        {
            "nodeAttrs": [
                {"target": ["tag:web"], "attr": ["funnel", "custom"], "app": {"x.io/connector": [{"name": "a"}]}},
                {"target": ["*"], "app": {"x.io/connector": [{"name": "b"}]}},
                {"target": ["bob@x.io"], "attr": ["disable-ipv4"]},
                {"target": ["tag:exit", "tag:gate"], "attr": ["suggest-exit-node"]},
            ],
            "randomizeClientPort": True,
            "OneCGNATRoute": "mac-never",
        }
    )
    web = net.caps("web")
    assert web["x.io/connector"] == [{"name": "a"}, {"name": "b"}]
    assert {"funnel", "custom", "randomize-client-port", "one-cgnat?v=false"} <= web.keys()
    assert net.compiled.allowed_ips(net.ids["web"], net.ids["bob-1"]) == ("fd7a:115c:a1e0::3/128",)
    assert net.compiled.allowed_ips(net.ids["bob-1"], net.ids["web"]) == ("fd7a:115c:a1e0::5/128",)
    assert net.compiled.peer_cap_map(net.ids["web"], net.ids["exit"]) == {"suggest-exit-node": None}
    assert net.compiled.peer_cap_map(net.ids["web"], net.ids["gate"]) == {}


def test_who_needs_no_approval(tailnet):
    net = tailnet(
        {
            "autoApprovers": {
                "routes": {"10.0.0.0/8": ["tag:gate"], "0.0.0.0/0": ["tag:spare"]},
                "exitNode": ["autogroup:owner"],
                "services": {"svc:db": ["tag:db"], "tag:web": ["tag:prod"]},
            }
        }
    )
    nodes = {name: net.compiled.topology.nodes[number] for name, number in net.ids.items()}
    assert net.compiled.auto_approved(nodes["gate"], "10.9.0.0/16")
    assert not net.compiled.auto_approved(nodes["gate"], "172.16.0.0/16")
    assert not net.compiled.auto_approved(nodes["web"], "10.9.0.0/16")
    assert net.compiled.auto_approved(nodes["ann-1"], "0.0.0.0/0")
    assert not net.compiled.auto_approved(nodes["spare"], "0.0.0.0/0")
    assert net.compiled.approvals.service(nodes["db"], "svc:db")
    assert net.compiled.approvals.service(nodes["db"], "svc:other", ["tag:web"])
    assert not net.compiled.approvals.service(nodes["web"], "svc:db")


def test_pools_and_who_may_tag(tailnet):
    net = tailnet(
        {
            "tagOwners": {"tag:a": ["tag:b"], "tag:b": ["ann@x.io"], "tag:none": []},
            "nodeAttrs": [{"target": ["tag:b", "ann@x.io"], "ipPool": ["100.81.0.0/16"]}],
        },
        nodes={},
    )
    ann, bob = (net.compiled.topology.users[number] for number in (1, 2))
    assert net.compiled.address_pools(ann, ()) == ("100.81.0.0/16",)
    assert net.compiled.address_pools(None, ("tag:b",)) == ("100.81.0.0/16",)
    assert net.compiled.address_pools(bob, ()) == ()
    approvals = net.compiled.approvals
    assert approvals.may_tag(ann, (), "tag:a")
    assert approvals.may_tag(None, ("tag:b",), "tag:a")
    assert not approvals.may_tag(bob, (), "tag:a")
    assert not approvals.may_tag(ann, (), "tag:none")


def test_a_fragment_keeps_its_name_while_nodes_come_and_go(tailnet):
    net = tailnet({"acls": [accept(["bob@x.io"], ["tag:web:80"]), accept(["tag:db"], ["tag:web:443"])]})
    before = net.compiled.filter_fragments(net.ids["web"])
    one = net.compiled.topology.nodes[net.ids["bob-1"]]
    topology = net.compiled.topology.with_node(msgspec.structs.replace(one, id=50, ipv4="100.64.0.50"))
    after, affected = update(net.compiled, topology, [50])
    now = after.filter_fragments(net.ids["web"])
    assert now.keys() == before.keys()
    assert [name for name in now if now[name] != before[name]] == [next(iter(now))]
    assert affected == 1 << after.index_of(50) | 1 << after.index_of(net.ids["web"])


def test_relays_of_the_policy(tailnet):
    region = {"regionID": 900, "regionCode": "lab", "nodes": [{"name": "1", "hostName": "derp.x.io", "derpPort": 8443}]}
    net = tailnet({"derpMap": {"omitDefaultRegions": True, "regions": {"900": region, "1": None}}})
    derp_map = net.compiled.derp_map
    assert derp_map.OmitDefaultRegions
    assert derp_map.Regions[1] is None
    assert derp_map.Regions[900].Nodes[0].DERPPort == 8443
    assert derp_map.Regions[900].Nodes[0].RegionID == 900
