"""What a node is told of its own, and how little of it when something changes."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from hatsize.netmap.engine import Reader
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import Change, Node, PolicyVersion
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.mapframe import FrameReader
from hatsize.wire.tailcfg import Hostinfo

POLICY = {
    "tagOwners": {tag: [] for tag in ("tag:web", "tag:db", "tag:probe", "tag:other")},
    "acls": [
        {"action": "accept", "src": ["tag:web"], "dst": ["tag:db:5432"]},
        {"action": "accept", "src": ["tag:probe"], "dst": ["tag:db:9100"]},
    ],
}
TAGS = ("tag:db", "tag:web", "tag:probe", "tag:other")


class Rack:
    """A server of each tag under `POLICY`, and the messages that the database's is sent."""

    def __init__(self):
        self.tailnet = ScratchTailnet()
        self.live = self.tailnet.live
        self.live._watchers.clear()
        self.policy(POLICY)
        self.nodes = {tag: self.add(tag) for tag in TAGS}
        self.database = Reader(self.nodes["tag:db"].id, 113, zstd=False)
        self.first = self.told()

    def apply(self, *records, kind="node.registered"):
        self.live._writer._make_true(Change(tailnet=1, kind=kind, puts=records, at=self.tailnet.clock()))

    def policy(self, document):
        number = self.live.state.next_id(PolicyVersion)
        version = PolicyVersion(id=number, document=json.dumps(document), created=self.tailnet.clock())
        self.apply(version, kind="policy.saved")

    def add(self, tag):
        number = self.live.state.next_id(Node)
        key = bytes([number] * 32)
        node = Node(
            id=number, stable_id=f"n{number}", machine_key=machine_key(key), node_key=node_key(key), tags=(tag,),
            disco_key=ZERO_DISCO_KEY, given_name=f"node{number}", ipv4=f"100.64.0.{number}", user_id=1,
            hostinfo=Hostinfo(), created=self.tailnet.clock(),
        )  # fmt: skip
        self.apply(node)
        return node

    def told(self):
        frame = self.live.netmap.next(self.database)
        if frame is None:
            return {}
        (body,) = FrameReader(compressed=False).receive(frame)
        return msgspec.json.decode(body)


@pytest.fixture
def rack() -> Rack:
    return Rack()


def sources(fragments):
    return [rules and rules[0]["SrcIPs"] for rules in fragments.values()]


def test_the_first_message_replaces_all_fragments(rack):
    assert rack.first["PacketFilters"]["*"] is None
    assert sorted(sources(rack.first["PacketFilters"])[1:]) == [["100.64.0.2"], ["100.64.0.3"]]


def test_a_new_source_changes_its_fragment_and_nothing_else_of_the_own(rack):
    rack.add("tag:probe")
    told = rack.told()
    assert told.keys() == {"PacketFilters", "PeersChanged"}
    assert sources(told["PacketFilters"]) == [["100.64.0.3", "100.64.0.5"]]


def test_a_node_that_no_rule_lets_in_is_not_told_of(rack):
    rack.add("tag:other")
    assert rack.told() == {}


def test_a_fragment_without_sources_is_taken_back(rack):
    web = rack.nodes["tag:web"]
    rack.live._writer._make_true(delete_node(rack.live.state, web.id, rack.tailnet.clock()))
    told = rack.told()
    assert list(told["PacketFilters"].values()) == [None]
    assert told["PeersRemoved"] == [web.id]


def test_with_a_new_address_all_fragments_are_told_again(rack):
    rack.apply(replace(rack.nodes["tag:db"], ipv4="100.64.0.77"), kind="node.updated")
    fragments = rack.told()["PacketFilters"]
    assert {rules[0]["DstPorts"][0]["IP"] for rules in fragments.values()} == {"100.64.0.77"}
    assert len(fragments) == 2


def test_a_policy_that_means_other_ports_from_the_same_source_is_told_by_that_fragment(rack):
    first, second = POLICY["acls"]
    rack.policy({**POLICY, "acls": [{**first, "dst": ["tag:db:5433"]}, second]})
    (rules,) = rack.told()["PacketFilters"].values()
    assert rules[0]["DstPorts"][0]["Ports"] == {"First": 5433, "Last": 5433}


def test_a_policy_that_means_the_same_is_not_told(rack):
    rack.policy({**POLICY, "groups": {"group:nobody": []}})
    assert rack.told() == {}
