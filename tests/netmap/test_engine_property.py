"""Whatever happens to a tailnet, and however a reader lags: what its client has assembled is the netmap of now.

A client that was told whole maps and differences, in any steps, is held against one that was told the whole map once,
by an engine with empty caches; and the peers against the policy's own words, worked out pair by pair.
"""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from hatsize.netmap.engine import Netmap, Reader
from hatsize.netmap.peers import is_expired
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import Change, DnsSettings, Node, PolicyVersion, Role, User
from hatsize.testing.assembled import AssembledNetmap
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.wire.keys import ZERO_DISCO_KEY, disco_key, machine_key, node_key
from hatsize.wire.mapframe import FrameReader
from hatsize.wire.tailcfg import FilterRule, Hostinfo, NetInfo, NetPortRange, SSHPolicy

GROUPS = ("user1", "user2", "tag:a", "tag:b")
ROUTES = ("10.1.0.0/16", "10.2.0.0/16")
ANY = NetPortRange(IP="*")


def group(node):
    return node.tags[0] if node.tags else f"user{node.user_id}"


class Pairs:
    """A policy that says which groups see each other, and which group is given which route; worked out each time."""

    def __init__(self, state, document, numbers=None):
        words = json.loads(document) if document else {"see": [], "routes": []}
        self.state, self.document = state, document
        self.see = {frozenset(pair) for pair in words["see"]}
        self.given = {(name, route) for name, route in words["routes"]}
        self.numbers = {} if numbers is None else numbers
        self.groups = {node.id: group(node) for node in state.all(Node)}

    def node(self, node_id):
        return self.state.get(Node, node_id)

    def index_of(self, node_id):
        return self.state.ordinals.of(node_id)

    def node_at(self, index):
        return self.state.ordinals.at(index)

    def sees(self, one, other):
        return frozenset({group(one), group(other)}) in self.see

    def visible(self, node_id):
        me = self.node(node_id)
        return self.state.ordinals.bits(
            node.id for node in self.state.all(Node) if node.id != node_id and self.sees(me, node)
        )

    def class_of(self, node_id):
        return self.numbers.setdefault(self.groups[node_id], len(self.numbers))

    def filter_marks(self, node_id):
        return {name: repr(rules) for name, rules in self.filter_fragments(node_id).items()}

    def filter_fragments(self, node_id, names=None):
        me, found = self.node(node_id), {}
        for node in sorted(self.state.all(Node), key=lambda node: node.id):
            if self.sees(me, node):
                found.setdefault(group(node), []).extend(node.addresses)
        return {
            name: [FilterRule(SrcIPs=sources, DstPorts=(ANY,))]
            for name, sources in found.items() if names is None or name in names
        }  # fmt: skip

    def shown(self, viewer_id, peer_id):
        """A route is served by the router with the lowest id."""
        name, peer = group(self.node(viewer_id)), self.node(peer_id)
        return tuple(
            route for route in peer.approved_routes
            if (name, route) in self.given and peer_id == min(self.routers(route))
        )  # fmt: skip

    def routers(self, route):
        return [node.id for node in self.state.all(Node) if route in node.approved_routes]

    def allowed_ips(self, viewer_id, peer_id):
        return [f"{a}/32" for a in self.node(peer_id).addresses] + list(self.primary_routes(viewer_id, peer_id))

    def primary_routes(self, viewer_id, peer_id):
        return self.shown(viewer_id, peer_id) if viewer_id != peer_id else self.node(peer_id).approved_routes

    def route_variant(self, viewer_id, peer_id):
        return self.shown(viewer_id, peer_id)

    def with_routers(self, primaries, online):
        return self

    def primaries(self):
        return {route: min(self.routers(route)) for route in ROUTES if self.routers(route)}

    def ssh_policy(self, node_id):
        return SSHPolicy()

    def self_cap_map(self, node_id):
        return {f"cap/{group(self.node(node_id))}": ()}

    def peer_cap_map(self, viewer_id, peer_id):
        return {f"serves/{route}": () for route in self.shown(viewer_id, peer_id)}

    def address_pools(self, user, tags):
        return ()


class PairsEngine:
    name = "pairs"

    def compile(self, document, state, online=None):
        return Pairs(state, document)

    def update(self, compiled, state, nodes):
        """Whoever sees the groups that nodes left or joined has another filter."""
        after = Pairs(state, compiled.document, compiled.numbers)
        touched = {groups.get(node_id) for groups in (compiled.groups, after.groups) for node_id in nodes}
        affected = [
            node.id for node in state.all(Node)
            if node.id in nodes or any(frozenset({group(node), name}) in compiled.see for name in touched)
        ]  # fmt: skip
        return after, state.ordinals.bits(affected)


class Client:
    """A map session, and what its client made of it."""

    def __init__(self, node_id, *, zstd):
        self.reader = Reader(node_id, 113, zstd=zstd)
        self.netmap = AssembledNetmap()
        self.frames = FrameReader(compressed=zstd)

    def ask(self, netmap):
        for body in self.frames.receive(netmap.next(self.reader) or b""):
            message = self.netmap.apply_json(body)
            others = {"PeersChanged", "PeersRemoved", "PeersChangedPatch"} & message.keys()
            assert not ("Peers" in message and others), "clients ignore every other delta beside Peers"
            assert_well_formed(message)


def assert_well_formed(message):
    told = [*message.get("Peers", ()), *message.get("PeersChanged", ())]
    for node in [*told, *([message["Node"]] if "Node" in message else ())]:
        assert node["Name"].endswith(".")
        assert isinstance(node["Hostinfo"], dict)
    ids = [node["ID"] for node in message.get("PeersChanged", ())]
    assert ids == sorted(set(ids))


def essence(peer):
    """A peer without what a client need not be told: when an online one was last seen."""
    left_out = {"LastSeen"} if peer.get("Online") else set()
    return {name: value for name, value in peer.items() if name not in left_out and value not in ([], "", None)}


SELF_KNOWN = {"Hostinfo", "Endpoints", "DERP", "HomeDERP", "DiscoKey", "Cap"}


def whole_view(client):
    """All that a client knows, in a form to compare."""
    netmap = client.netmap
    owners = {netmap.own["User"]} | {peer["User"] for peer in netmap.peers.values()}
    return {
        "own": {name: value for name, value in netmap.own.items() if name not in SELF_KNOWN},
        "peers": {node_id: essence(peer) for node_id, peer in netmap.peers.items()},
        "profiles": {owner: netmap.profiles.get(owner) for owner in owners},
        "filters": netmap.filters,
        "rest": {name: netmap.rest.get(name) for name in ("DNSConfig", "DERPMap", "SSHPolicy", "Domain")},
    }


class Tailnet(RuleBasedStateMachine):
    engine = PairsEngine
    some = st.integers(min_value=0, max_value=10**6)

    def __init__(self):
        super().__init__()
        self.tailnet = ScratchTailnet(policy=self.engine() if self.engine else None)
        self.live, self.state = self.tailnet.live, self.tailnet.state
        self.live._watchers.clear()  # no hub: the test tells
        self.clients, self.minted = {}, 0
        self.apply(User(id=2, name="bob", created=self.tailnet.clock()), kind="user.created")

    def apply(self, *records, kind="node.updated"):
        self.live._writer._make_true(Change(tailnet=1, kind=kind, puts=records, at=self.tailnet.clock()))

    def any_node(self, number):
        nodes = sorted(self.state.all(Node), key=lambda node: node.id)
        return nodes[number % len(nodes)]

    def key(self):
        self.minted += 1
        return self.minted.to_bytes(32, "big")

    # What happens to the tailnet.

    @rule(owner=st.sampled_from(GROUPS), authorized=st.sampled_from([True, True, True, False]))
    def join(self, owner, authorized):
        node_id = self.state.next_id(Node)
        node = Node(
            id=node_id, stable_id=f"n{node_id}", machine_key=machine_key(self.key()), node_key=node_key(self.key()),
            disco_key=ZERO_DISCO_KEY, given_name=f"node{node_id}", ipv4=f"100.64.{node_id >> 8}.{node_id & 255}",
            user_id=int(owner[4:]) if owner.startswith("user") else 1, authorized=authorized, cap_version=113,
            tags=(owner,) if owner.startswith("tag:") else (),
            hostinfo=Hostinfo(Hostname=f"node{node_id}", RoutableIPs=ROUTES),
            created=self.tailnet.clock(),
        )  # fmt: skip
        self.apply(node, kind="node.registered")

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some)
    def leave(self, number):
        node = self.any_node(number)
        self.live._writer._make_true(delete_node(self.state, node.id, self.tailnet.clock()))
        self.clients.pop(node.id, None)

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, port=st.integers(0, 3), region=st.integers(0, 2), disco=st.booleans())
    def report(self, number, port, region, disco):
        node = self.any_node(number)
        new = replace(
            node, endpoints=(f"192.0.2.1:{port}",) if port else (),
            hostinfo=replace(node.hostinfo, NetInfo=NetInfo(PreferredDERP=region)),
            disco_key=disco_key(self.key()) if disco else node.disco_key,
        )  # fmt: skip
        self.apply(new, kind="node.reported")

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, name=st.sampled_from(["x", "y"]))
    def rename(self, number, name):
        node = self.any_node(number)
        self.apply(replace(node, given_name=f"{name}{node.id}"))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, owner=st.sampled_from(GROUPS))
    def change_owner(self, number, owner):
        node = self.any_node(number)
        if owner.startswith("tag:"):
            self.apply(replace(node, tags=(owner,)))
        else:
            self.apply(replace(node, tags=(), user_id=int(owner[4:])))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, authorized=st.booleans())
    def authorize(self, number, authorized):
        self.apply(replace(self.any_node(number), authorized=authorized))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, routes=st.sets(st.sampled_from(ROUTES)))
    def approve_routes(self, number, routes):
        self.apply(replace(self.any_node(number), approved_routes=tuple(sorted(routes))))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, hours=st.sampled_from([None, 1, 2]))
    def set_expiry(self, number, hours):
        expiry = None if hours is None else self.tailnet.clock() + timedelta(hours=hours)
        self.apply(replace(self.any_node(number), key_expiry=expiry))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some)
    def expire(self, number):
        self.apply(replace(self.any_node(number), key_expiry=self.tailnet.clock()))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some)
    def log_in_again(self, number):
        self.apply(replace(self.any_node(number), node_key=node_key(self.key()), key_expiry=None))

    @rule(minutes=st.sampled_from([1, 61]))
    def time_passes(self, minutes):
        self.live.node_expired(self.live.expiries.due(self.tailnet.clock.advance(minutes=minutes)))

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, online=st.booleans())
    def come_and_go(self, number, online):
        node = self.any_node(number)
        self.tailnet.clock.advance(seconds=1)
        (self.live.came_online if online else self.live.went_offline)(node.id)

    @rule(user=st.sampled_from([1, 2]), name=st.sampled_from(["Ann", "Bo"]))
    def rename_user(self, user, name):
        self.apply(replace(self.state.get(User, user), display_name=name), kind="user.updated")

    @rule(user=st.sampled_from([1, 2]), role=st.sampled_from([Role.MEMBER, Role.ADMIN]), groups=st.booleans())
    def change_user(self, user, role, groups):
        changed = replace(self.state.get(User, user), role=role, groups=("group:g@x.io",) if groups else ())
        self.apply(changed, kind="user.updated")

    @rule(domain=st.sampled_from(["one.example", "two.example"]))
    def change_dns(self, domain):
        self.apply(DnsSettings(id=1, search_domains=(domain,)), kind="dns.updated")

    @rule(
        see=st.sets(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS)), max_size=8),
        routes=st.sets(st.tuples(st.sampled_from(GROUPS), st.sampled_from(ROUTES)), max_size=5),
    )
    def save_policy(self, see, routes):
        document = self.document(see, routes)
        version = PolicyVersion(id=self.state.next_id(PolicyVersion), document=document, created=self.tailnet.clock())
        self.apply(version, kind="policy.saved")

    def document(self, see, routes):
        return json.dumps({"see": sorted(see), "routes": sorted(routes)})

    # What its readers do.

    @precondition(lambda self: self.state.table(Node))
    @rule(number=some, zstd=st.booleans())
    def connect(self, number, zstd):
        node = self.any_node(number)
        self.clients[node.id] = Client(node.id, zstd=zstd)
        self.tell(self.clients[node.id])

    @precondition(lambda self: self.clients)
    @rule(number=some)
    def one_reads(self, number):
        self.tell(list(self.clients.values())[number % len(self.clients)])

    @rule()
    def all_read(self):
        for client in self.clients.values():
            self.tell(client)

    def tell(self, client):
        client.ask(self.live.netmap)
        fresh = Client(client.reader.node_id, zstd=False)
        fresh.ask(Netmap(self.live.netmap.scene, self.compiled_anew()))
        assert whole_view(client) == whole_view(fresh)
        assert set(client.netmap.peers) == self.expected_peers(client.reader.node_id)
        assert client.netmap.own.get("Expired", False) == is_expired(
            self.state.get(Node, client.reader.node_id), self.tailnet.clock()
        )

    def compiled_anew(self):
        compiled = self.live.services.policy.compile(self.live.policy_document, self.state)
        routers = self.live.routers
        online = frozenset(self.state.table(Node)) - routers._away - routers.silent
        return compiled.with_routers(routers.primaries, online)

    def expected_peers(self, node_id):
        me = self.state.get(Node, node_id)
        if not me.authorized or is_expired(me, self.tailnet.clock()):
            return set()
        return {
            node.id for node in self.state.all(Node) if node.id != node_id and node.authorized and self.sees(me, node)
        }

    def sees(self, one, other):
        return self.live.policy.sees(one, other)

    @invariant()
    def ordinals_may_be_used_again(self):
        """As the hub does after each round."""
        netmap = self.live.netmap
        versions = (client.reader.version for client in self.clients.values())
        netmap.forgotten_before(min(versions, default=netmap.version))

    def teardown(self):
        self.all_read()


class BuiltInTailnet(Tailnet):
    """The same with the built-in policy engine: at first everybody sees everybody, then whom the policy says."""

    engine = None
    see = given = None

    def document(self, see, routes):
        self.see, self.given = {frozenset(pair) for pair in see}, routes
        names = {"user1": "alice@", "user2": "bob@"}
        rules = [(names.get(src, src), f"{names.get(dst, dst)}:*") for src, dst in sorted(see)]
        rules += [(names.get(src, src), f"{route}:*") for src, route in sorted(routes)]
        acls = [{"action": "accept", "src": [src], "dst": [dst]} for src, dst in rules]
        acls.append({"action": "accept", "src": ["group:g@x.io"], "dst": ["group:g@x.io:22"]})
        return json.dumps({"tagOwners": {"tag:a": [], "tag:b": []}, "acls": acls})

    def sees(self, one, other):
        if self.see is None or frozenset({group(one), group(other)}) in self.see:
            return True
        if self.is_in_group(one) and self.is_in_group(other):
            return True
        behind = ((a, route) for a, b in ((one, other), (other, one)) for route in b.approved_routes)
        return any((group(a), route) in self.given for a, route in behind)

    def is_in_group(self, node):
        return not node.tags and bool(self.state.get(User, node.user_id).groups)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Tailnet, BuiltInTailnet])
def test_what_a_client_has_assembled_is_the_netmap_of_now(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, database=None,
            phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes; the steps printed are enough
            report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
