"""The compiled policy against an evaluator so slow and plain that it is obviously right, over random tailnets."""

import ipaddress
import json
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hatsize.policy import PolicyError, compile_policy, from_golden, read_document
from hatsize.policy.revise import revise
from hatsize.policy.topology import approved_routes
from hatsize.policy.update import update
from hatsize.wire import tailcfg

USERS = [("ann@x.io", "owner"), ("bob@x.io", "admin"), ("cyd@y.io", "member"), ("dan@x.io", "auditor")]
TAGS = ["tag:a", "tag:b"]
ROUTES = ["10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "::/0"]
GROUPS = {"group:one": ["ann@x.io", "cyd@y.io"], "group:two": ["bob@x.io"], "group:none": []}
HOSTS = {"first": "100.64.0.1", "some": "100.64.0.0/30", "net": "10.1.0.0/16"}
PEOPLE = [*(login for login, _ in USERS), *GROUPS, "user:*@x.io"]
AUTOGROUPS = ["autogroup:member", "autogroup:admin", "autogroup:owner", "autogroup:tagged", "autogroup:auditor"]
WHERE = ["first", "some", "net", "10.1.2.0/24", "100.64.0.2", "fd7a:115c:a1e0::3", "ipset:i"]
IPSETS = {"ipset:i": ["add 100.64.0.0/29", "remove 100.64.0.4"]}
SOURCES = ["*", *PEOPLE, *AUTOGROUPS, *TAGS, *WHERE]
TARGETS = [*SOURCES, "autogroup:internet"]
POSTURES = {"posture:mac": ["node:os == 'macos'"], "posture:tier": ["custom:tier >= 2", "custom:tier != 9"]}

PROBES = ((22, 6), (443, 6), (443, 17), (0, 1), (8080, 6))
"""Ports and protocols that are tried."""
PORTS = st.sampled_from(["*", "22", "80-443", "22,443"])
LISTS = {"min_size": 1, "max_size": 3, "unique": True}


@st.composite
def acls(draw):
    rule = {"action": "accept", "src": draw(st.lists(st.sampled_from(SOURCES), **LISTS))}
    proto = draw(st.sampled_from([None, None, "tcp", "udp", "icmp"]))
    ports = st.just("*") if proto == "icmp" else PORTS
    rule["dst"] = [f"{dst}:{draw(ports)}" for dst in draw(st.lists(st.sampled_from(TARGETS), **LISTS))]
    if draw(st.integers(0, 5)) == 0:
        proto, rule["src"], rule["dst"] = (
            None,
            [draw(st.sampled_from(["*", *PEOPLE, "autogroup:member"]))],
            ["autogroup:self:22"],
        )
    if draw(st.integers(0, 4)) == 0:
        rule["srcPosture"] = draw(st.lists(st.sampled_from(sorted(POSTURES)), **LISTS))
    return {**rule, **({"proto": proto} if proto else {})}


@st.composite
def grants(draw):
    rule = {
        "src": draw(st.lists(st.sampled_from(SOURCES), **LISTS)),
        "dst": draw(st.lists(st.sampled_from(SOURCES), **LISTS)),
    }
    rule["ip"] = draw(st.lists(st.sampled_from(["*", "22", "tcp:443", "udp:*", "icmp:*", "tcp:1-99"]), **LISTS))
    if draw(st.integers(0, 3)) == 0:
        rule["app"] = {
            draw(st.sampled_from(["x.io/cap/a", "tailscale.com/cap/drive"])): [{"v": draw(st.integers(0, 2))}]
        }
    if draw(st.integers(0, 3)) == 0:
        rule["dst"], rule["via"] = ["10.1.0.0/16"], draw(st.lists(st.sampled_from(TAGS), **LISTS))
        rule.pop("app", None)
    return rule


@st.composite
def nodes(draw, number):
    tags = draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True)) if draw(st.booleans()) else []
    routes = draw(st.lists(st.sampled_from(ROUTES), max_size=2, unique=True)) if draw(st.integers(0, 2)) == 0 else []
    node = {
        "ipv4": f"100.64.0.{number}",
        "ipv6": f"fd7a:115c:a1e0::{number:x}",
        "tags": tags,
        "routable_ips": routes,
        "approved_routes": [route for route in routes if draw(st.booleans())],
        "attributes": draw(st.sampled_from([{}, {"node:os": "macos"}, {"custom:tier": 2}, {"custom:tier": 9}])),
    }
    return node if tags else {**node, "user": draw(st.sampled_from([login.partition("@")[0] for login, _ in USERS]))}


POLICIES = st.fixed_dictionaries(
    {},
    optional={"acls": st.lists(acls(), max_size=4), "grants": st.lists(grants(), max_size=4)},
).map(
    lambda policy: {
        **policy,
        "groups": GROUPS,
        "hosts": HOSTS,
        "ipsets": IPSETS,
        "postures": POSTURES,
        "tagOwners": {tag: [] for tag in TAGS},
        "nodeAttrs": [{"target": ["tag:b"], "attr": ["x"]}],
        "ssh": [{"action": "check", "src": ["group:one"], "dst": ["tag:a"], "users": ["root"]}],
    }
)


@st.composite
def tailnets(draw):
    count = draw(st.integers(1, 6))
    return {
        "users": [{"name": login.partition("@")[0], "email": login, "role": role} for login, role in USERS],
        "nodes": {f"n{number}": draw(nodes(number)) for number in range(1, count + 1)},
    }


def topology_of(tailnet):
    return from_golden(tailnet)


def contains(text, address):
    """Whether a packet filter's text for addresses holds one."""
    place = ipaddress.ip_address(address)
    if text == "*":
        return True
    if "-" in text:
        first, last = map(ipaddress.ip_address, text.split("-"))
        return first.version == place.version and first <= place <= last
    return place in ipaddress.ip_network(text)


def client_accepts(rules, src, dst, port, protocol):
    """What a client does with a packet, its filter being these rules."""
    return any(
        any(contains(text, src) for text in rule.SrcIPs)
        and protocol in (tuple(rule.IPProto) or (6, 17, 1, 58))
        and any(
            contains(to.IP, dst) and (protocol == 1 or to.Ports.First <= port <= to.Ports.Last) for to in rule.DstPorts
        )
        for rule in rules
    )


class Reference:
    """Decides each packet from the policy as it is written."""

    def __init__(self, policy, topology):
        self.policy, self.topology = policy, topology

    def accepts(self, src, dst, port, protocol):
        """Whether the first of two (node, address) may send to the second."""
        if "acls" not in self.policy and "grants" not in self.policy:
            return True
        return any(
            self.is_source(rule, src) and self.opens(rule, src, dst, port, protocol) for rule in all_rules(self.policy)
        )

    def is_source(self, rule, src):
        postures = rule.get("srcPosture", ())
        if postures and not any(self.meets(posture, src[0]) for posture in postures):
            return False
        return any(self.names(one, src) for one in rule["src"])

    def meets(self, posture, node):
        if posture == "posture:mac":
            return node.attributes.get("node:os") == "macos"
        return node.attributes.get("custom:tier", 0) == 2

    def names(self, selector, party):
        node, address = party
        user = None if node.tags else self.topology.users[node.user_id]
        if selector == "*":
            return True
        if selector.startswith("tag:"):
            return selector in node.tags
        if selector == "autogroup:tagged":
            return bool(node.tags)
        if selector == "autogroup:member":
            return user is not None
        if selector == "autogroup:admin":
            return user is not None and user.role in {"owner", "admin"}
        if selector.startswith("autogroup:"):
            return user is not None and selector == f"autogroup:{user.role}"
        if selector.startswith("group:"):
            return user is not None and user.email in GROUPS[selector]
        if selector.startswith("user:*@"):
            return user is not None and user.email.endswith(selector[6:])
        if "@" in selector:
            return user is not None and user.email == selector
        return self.holds(selector, address)

    def holds(self, selector, address):
        if selector == "ipset:i":
            return contains("100.64.0.0/29", address) and address != "100.64.0.4"
        return contains(HOSTS.get(selector, selector), address)

    def opens(self, rule, src, dst, port, protocol):
        if "via" in rule:
            return False
        if "ip" in rule:
            services = [self.service(text) for text in rule["ip"]]
            return any(self.names(one, dst) for one in rule["dst"]) and any(
                self.within(ports, protocols, port, protocol) for ports, protocols in services
            )
        protocols = {None: (6, 17, 1, 58), "tcp": (6,), "udp": (17,), "icmp": (1,)}[rule.get("proto")]
        return any(
            self.is_target(target, src, dst) and self.within(ports, protocols, port, protocol)
            for target, _, ports in (text.rpartition(":") for text in rule["dst"])
        )

    def is_target(self, target, src, dst):
        if target == "autogroup:self":
            return not src[0].tags and not dst[0].tags and src[0].user_id == dst[0].user_id
        return target != "autogroup:internet" and self.names(target, dst)

    def service(self, text):
        proto, _, ports = text.rpartition(":")
        return ports, {"": (6, 17, 1, 58), "tcp": (6,), "udp": (17,), "icmp": (1,)}[proto]

    def within(self, ports, protocols, port, protocol):
        return protocol in protocols and (
            protocol == 1
            or any(
                part == "*" or int(part.split("-")[0]) <= port <= int(part.split("-")[-1]) for part in ports.split(",")
            )
        )


def pairs(one, other):
    """The addresses of two nodes that packets can go between."""
    return [((one, a), (other, b)) for a in one.addresses for b in other.addresses if (":" in a) == (":" in b)]


@settings(max_examples=60, deadline=None)
@given(POLICIES, tailnets())
def test_filters_decide_as_the_policy_says(policy, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    reference = Reference(policy, topology)
    for dst in topology.nodes.values():
        rules = compiled.filter_rules(dst.id)
        for src in topology.nodes.values():
            for one, other in pairs(src, dst):
                for port, protocol in PROBES:
                    got = client_accepts(rules, one[1], other[1], port, protocol)
                    assert got == reference.accepts(one, other, port, protocol), (one[1], other[1], port, protocol)


def all_rules(policy):
    return (*policy.get("acls", ()), *policy.get("grants", ()))


@settings(max_examples=60, deadline=None)
@given(POLICIES, tailnets())
def test_who_may_talk_sees_each_other_and_sight_is_mutual(policy, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    reference = Reference(policy, topology)
    for one in topology.nodes.values():
        seen = compiled.visible(one.id)
        assert not seen >> compiled.index_of(one.id) & 1
        for other in topology.nodes.values():
            if one is not other:
                sees = bool(seen >> compiled.index_of(other.id) & 1)
                assert sees == bool(compiled.visible(other.id) >> compiled.index_of(one.id) & 1)
                may = any(reference.accepts(*pair, *probe) for pair in pairs(one, other) for probe in PROBES)
                assert sees or not may


@settings(max_examples=50, deadline=None)
@given(POLICIES, tailnets())
def test_fragments_together_mean_the_whole(policy, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    for node_id in topology.nodes:
        parts = [rule for rules in compiled.filter_fragments(node_id).values() for rule in rules]
        assert effect(parts) == effect(compiled.filter_rules(node_id))


def effect(rules):
    return {
        (src, to.IP, to.Ports.First, to.Ports.Last, protocol)
        for rule in rules
        for src in rule.SrcIPs
        for to in rule.DstPorts
        for protocol in (tuple(rule.IPProto) or (6, 17, 1, 58))
    } | {
        (src, dst, json.dumps(grant.CapMap, default=list, sort_keys=True))
        for rule in rules
        for src in rule.SrcIPs
        for grant in rule.CapGrant
        for dst in grant.Dsts
    }


def assert_marks_tell(before, after):
    """A fragment whose mark is as it was is as it was, for a node with the addresses it had."""
    for node_id in before.topology.nodes.keys() & after.topology.nodes.keys():
        former, now = before.filter_marks(node_id), after.filter_marks(node_id)
        assert now.keys() == after.filter_fragments(node_id).keys()
        same = [name for name in now if former.get(name) == now[name]]
        if before.topology.nodes[node_id].addresses == after.topology.nodes[node_id].addresses:
            assert before.filter_fragments(node_id, same) == after.filter_fragments(node_id, same)


def everything(compiled):
    """All that nodes are sent, with nodes by id instead of index."""
    ids = list(compiled.topology.nodes)

    def seen(node_id):
        return {other for other in ids if compiled.visible(node_id) >> compiled.index_of(other) & 1}

    return {
        node_id: (
            seen(node_id),
            effect(compiled.filter_rules(node_id)),
            effect(rule for rules in compiled.filter_fragments(node_id).values() for rule in rules),
            tailcfg.encode(compiled.ssh_policy(node_id)),
            dict(compiled.self_cap_map(node_id)),
            {other: (compiled.allowed_ips(node_id, other), compiled.primary_routes(node_id, other)) for other in ids},
        )
        for node_id in ids
    }


@settings(max_examples=50, deadline=None)
@given(POLICIES, tailnets(), st.data())
def test_changes_step_by_step_give_what_compiling_anew_gives(policy, tailnet, data):
    document = read_document(json.dumps(policy))
    topology = topology_of(tailnet)
    compiled = compile_policy(document, topology)
    everything(compiled)
    for _ in range(data.draw(st.integers(1, 5))):
        number = data.draw(st.integers(1, 7))
        before = everything(compiled)
        if number in topology.nodes and data.draw(st.integers(0, 2)) == 0:
            topology = topology.without_node(number)
        else:
            raw = {**tailnet, "nodes": {f"n{number}": data.draw(nodes(number))}}
            node = msgspec.structs.replace(next(iter(topology_of(raw).nodes.values())), id=number)
            topology = topology.with_node(node)
        former = compiled
        compiled, affected = update(compiled, topology, [number])
        assert_marks_tell(former, compiled)
        after = everything(compiled)
        assert after == everything(compile_policy(document, topology))
        for node_id in after:
            if node_id not in before or before[node_id][1:5] != after[node_id][1:5]:
                assert affected >> compiled.index_of(node_id) & 1, node_id


@settings(max_examples=50, deadline=None)
@given(POLICIES, POLICIES, tailnets())
def test_another_document_gives_what_compiling_it_gives(policy, other, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    before = everything(compiled)
    mixed = {**policy, "acls": [*other.get("acls", []), *policy.get("acls", [])[1:]]}
    document = read_document(json.dumps(mixed))
    former = compiled
    found = revise(compiled, document)
    if found is None:
        return
    compiled, affected = found
    assert_marks_tell(former, compiled)
    assert_marks_tell(former, compile_policy(document, topology))
    after = everything(compiled)
    assert after == everything(compile_policy(document, topology))
    for node_id, told in after.items():
        assert told == before[node_id] or affected >> compiled.index_of(node_id) & 1, node_id


@settings(max_examples=50, deadline=None)
@given(POLICIES, tailnets())
def test_nodes_of_one_class_are_told_the_same(policy, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    for one in topology.nodes:
        for other in topology.nodes:
            if compiled.class_of(one) == compiled.class_of(other):
                both = 1 << compiled.index_of(one) | 1 << compiled.index_of(other)
                assert compiled.visible(one) | both == compiled.visible(other) | both
                for peer in topology.nodes:
                    if peer not in (one, other):
                        assert compiled.route_variant(one, peer) == compiled.route_variant(other, peer)
                        assert compiled.allowed_ips(one, peer) == compiled.allowed_ips(other, peer)


@settings(max_examples=50, deadline=None)
@given(POLICIES, tailnets())
def test_a_route_is_served_by_one_router_at_most(policy, tailnet):
    topology = topology_of(tailnet)
    compiled = compile_policy(read_document(json.dumps(policy)), topology)
    for viewer in topology.nodes:
        given_out = [
            route for peer in topology.nodes if peer != viewer for route in compiled.primary_routes(viewer, peer)
        ]
        assert len(given_out) == len(set(given_out))
        assert all(
            set(compiled.primary_routes(viewer, peer)) <= set(approved_routes(topology.nodes[peer]))
            for peer in topology.nodes
        )


def test_the_elected_router_stays_while_it_is_connected():
    raw = {"tags": [], "user": "ann", "routable_ips": ["10.1.0.0/16"], "approved_routes": ["10.1.0.0/16"]}
    nodes_raw = {f"n{number}": {**raw, "ipv4": f"100.64.0.{number}"} for number in (1, 2)}
    topology = topology_of({"users": [{"name": "ann", "email": "ann@x.io"}], "nodes": nodes_raw})
    compiled = compile_policy(read_document("{}"), replace(topology, online=frozenset({2})))
    assert compiled.primaries() == {"10.1.0.0/16": 2}
    assert compiled.with_routers(compiled.primaries(), frozenset({1, 2})).primaries() == {"10.1.0.0/16": 2}
    assert compiled.with_routers(compiled.primaries(), frozenset({1})).primaries() == {"10.1.0.0/16": 1}


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 70_000)
    | st.sampled_from([*TARGETS, "22", "x:22", "*:*", "a@b", "tag:", ""]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["src", "dst", "ip", "app", "via", "action", "users", "proto", "checkPeriod", "target", "attr", "ipPool",
             "accept", "deny", "regions", "900", "nodes", "routes", "exitNode", "tag:a", "group:g", "ipset:i", "h"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip
DOCUMENTS = st.dictionaries(
    st.sampled_from(
        ["acls", "grants", "ssh", "groups", "hosts", "tagOwners", "autoApprovers", "nodeAttrs", "postures", "ipsets",
         "defaultSrcPosture", "attrConfig", "tests", "sshTests", "derpMap", "disableIPv4", "OneCGNATRoute",
         "Acls", "no"]
    ),
    VALUES,
    max_size=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_whatever_is_written_nothing_but_policy_errors(document):
    try:
        found = read_document(json.dumps(document), "x.io")
    except PolicyError:
        return
    everything(compile_policy(found, topology_of({"users": [], "nodes": {}})))
