"""Which exit nodes clients are told to be good ones: all, unless the policy names some."""

SUGGESTED = {"suggest-exit-node": None}


def named(*targets):
    return {"nodeAttrs": [{"target": list(targets), "attr": ["suggest-exit-node"]}]}


def told(net, peer, viewer="web"):
    return net.compiled.peer_cap_map(net.ids[viewer], net.ids[peer])


def test_every_exit_node_is_suggested_where_the_policy_names_none(tailnet):
    net = tailnet({})
    assert told(net, "exit") == SUGGESTED
    assert [name for name in net.ids if told(net, name)] == ["exit"]


def test_where_the_policy_names_some_only_they_are(tailnet, small):
    nodes = {**small.nodes, "other": small.router(10, "tag:idle", "0.0.0.0/0", "::/0")}
    net = tailnet(named("tag:idle"), nodes=nodes)
    assert (told(net, "exit"), told(net, "other")) == ({}, SUGGESTED)


def test_a_name_that_is_no_exit_nodes_suggests_none_at_all(tailnet):
    net = tailnet(named("tag:web"))
    assert [name for name in net.ids if told(net, name)] == []


def test_whoever_may_not_use_it_is_not_told(tailnet):
    net = tailnet({"grants": [{"src": ["tag:db"], "dst": ["autogroup:internet", "tag:exit"], "ip": ["*"]},
                              {"src": ["tag:web"], "dst": ["tag:exit"], "ip": ["*"]}]})  # fmt: skip
    assert told(net, "exit", "db") == SUGGESTED
    assert told(net, "exit", "web") == {}


def test_nodes_are_told_no_more_of_themselves(tailnet):
    assert "suggest-exit-node" not in tailnet({}).caps("exit")
