"""The netmap engine, one promise at a time; all of them together are in `test_engine_property.py`."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from hatsize.netmap.engine import Reader
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import Change, Node, PolicyVersion, User
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.wire.keys import ZERO_DISCO_KEY, disco_key, machine_key, node_key
from hatsize.wire.mapframe import FrameReader
from hatsize.wire.tailcfg import Hostinfo, NetInfo


class Engine:
    """A tailnet without a hub, whose readers are asked by the test."""

    def __init__(self):
        self.tailnet = ScratchTailnet()
        self.live, self.state = self.tailnet.live, self.tailnet.state
        self.live._watchers.clear()

    def apply(self, *records, kind="node.updated", deletes=()):
        change = Change(tailnet=1, kind=kind, puts=records, deletes=deletes, at=self.tailnet.clock())
        self.live._writer._make_true(change)

    def join(self, name, **fields) -> Node:
        number = self.state.next_id(Node)
        defaults = {
            "id": number, "stable_id": f"n{number}", "machine_key": machine_key(bytes([number] * 32)),
            "node_key": node_key(bytes([number] * 32)), "disco_key": ZERO_DISCO_KEY, "given_name": name, "user_id": 1,
            "ipv4": f"100.64.0.{number}", "hostinfo": Hostinfo(Hostname=name), "created": self.tailnet.clock(),
        }  # fmt: skip
        node = Node(**{**defaults, **fields})
        self.apply(node, kind="node.registered")
        return node

    def reader(self, node, *, zstd=False) -> Reader:
        """A reader of the node that has been told the whole."""
        reader = Reader(node.id, 113, zstd=zstd)
        assert self.ask(reader)
        return reader

    def ask(self, reader):
        """The message that brings a reader up to date; None for none."""
        frame = self.live.netmap.next(reader)
        if frame is None:
            return None
        (body,) = FrameReader(compressed=reader.zstd).receive(frame)
        return msgspec.json.decode(body)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_the_first_message_holds_all_a_client_waits_for(engine):
    one, two = engine.join("one"), engine.join("two", tags=("tag:server",))
    message = engine.ask(Reader(one.id, 113, zstd=False))
    assert message["Node"]["Name"] == "one.tailnet.internal."
    assert [peer["Name"] for peer in message["Peers"]] == ["two.tailnet.internal."]
    assert message["PacketFilters"]["*"] is None
    assert {"Node", "DERPMap", "DNSConfig", "Domain", "SSHPolicy", "Debug", "ControlTime"} <= message.keys()
    assert message["Debug"] == {"DisableLogTail": True}
    assert {profile["LoginName"] for profile in message["UserProfiles"]} == {"alice@", "tagged-devices"}
    assert message["Peers"][0]["ID"] == two.id


def test_without_peers_the_member_is_left_out(engine):
    assert "Peers" not in engine.ask(Reader(engine.join("one").id, 113, zstd=False))


def test_every_entry_has_host_information_and_a_trailing_dot(engine):
    one = engine.join("one")
    engine.join("bare", hostinfo=Hostinfo())
    message = engine.ask(Reader(one.id, 113, zstd=False))
    for node in (message["Node"], *message["Peers"]):
        assert isinstance(node["Hostinfo"], dict)
        assert node["Name"].endswith(".")


def test_a_compressed_message_says_the_same(engine):
    one = engine.join("one")
    for number in range(70):
        engine.join(f"n{number}")
    plain, packed = (engine.ask(Reader(one.id, 113, zstd=zstd)) for zstd in (False, True))
    assert plain == packed
    assert len(plain["Peers"]) == 70


def test_who_is_up_to_date_is_told_nothing(engine):
    reader = engine.reader(engine.join("one"))
    assert engine.ask(reader) is None


def test_a_new_node_is_told_as_a_changed_peer_with_its_owner(engine):
    reader = engine.reader(engine.join("one"))
    engine.apply(User(id=2, name="bob", created=engine.tailnet.clock()), kind="user.created")
    engine.join("two", user_id=2)
    message = engine.ask(reader)
    assert [peer["Name"] for peer in message["PeersChanged"]] == ["two.tailnet.internal."]
    assert [profile["LoginName"] for profile in message["UserProfiles"]] == ["bob@"]
    assert "Peers" not in message


def test_an_owner_that_is_known_is_not_told_again(engine):
    reader = engine.reader(engine.join("one"))
    engine.join("two", tags=("tag:server",))
    engine.ask(reader)
    engine.join("three", tags=("tag:server",))
    assert engine.ask(reader).keys() == {"PeersChanged"}


def test_an_owner_is_not_told_again_with_a_change_of_the_only_node(engine):
    two = engine.join("two", tags=("tag:server",))
    reader = engine.reader(engine.join("one"))
    engine.apply(replace(two, given_name="renamed"))
    assert engine.ask(reader).keys() == {"PeersChanged"}


def test_with_a_new_owner_a_client_is_made_to_build_its_netmap_anew(engine):
    """Or 1.102 shows the owner in no status: what comes as a difference goes past the profiles that it shows."""
    reader = engine.reader(engine.join("one"))
    engine.join("two", tags=("tag:server",))
    assert engine.ask(reader).keys() == {"PeersChanged", "UserProfiles", "Domain"}


def test_an_owner_that_is_shown_otherwise_is_told_again(engine):
    user = User(id=2, name="bob", created=engine.tailnet.clock())
    engine.apply(user, kind="user.created")
    engine.join("two", user_id=2)
    reader = engine.reader(engine.join("one"))
    engine.apply(replace(user, display_name="Bob"), kind="user.updated")
    message = engine.ask(reader)
    assert [profile["DisplayName"] for profile in message["UserProfiles"]] == ["Bob"]
    assert "Domain" in message


def test_a_node_that_became_another_owners_is_told_with_that_owner(engine):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.ask(reader)
    engine.apply(replace(two, tags=("tag:server",)))
    assert [profile["LoginName"] for profile in engine.ask(reader)["UserProfiles"]] == ["tagged-devices"]


@pytest.mark.parametrize(
    ("fields", "patch"),
    [
        ({"endpoints": ("192.0.2.1:1",)}, {"Endpoints": ["192.0.2.1:1"]}),
        ({"hostinfo": Hostinfo(Hostname="two", NetInfo=NetInfo(PreferredDERP=900))}, {"DERPRegion": 900}),
        ({"cap_version": 120}, {"Cap": 120}),
    ],
)
def test_what_can_be_patched_is_patched(engine, fields, patch):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.ask(reader)
    engine.apply(replace(two, **fields))
    assert engine.ask(reader) == {"PeersChangedPatch": [{"NodeID": two.id, **patch}]}


def test_a_disco_key_is_patched_with_when_the_node_was_last_seen(engine):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two", last_seen=engine.tailnet.clock())
    engine.ask(reader)
    engine.apply(replace(two, disco_key=disco_key(bytes([7] * 32))))
    (patch,) = engine.ask(reader)["PeersChangedPatch"]
    assert patch["DiscoKey"] == disco_key(bytes([7] * 32))
    assert patch["LastSeen"] == "2026-03-04T05:06:07Z"


@pytest.mark.parametrize(
    "fields",
    [{"given_name": "zwei"}, {"tags": ("tag:a",)}, {"node_key": node_key(bytes([99] * 32))}, {"ipv4": "100.64.0.99"}],
)
def test_what_cannot_be_patched_is_told_whole(engine, fields):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.ask(reader)
    engine.apply(replace(two, **fields))
    assert [peer["ID"] for peer in engine.ask(reader)["PeersChanged"]] == [two.id]


def test_when_a_peer_was_last_seen_is_told_though_it_is_online(engine):
    one, two = engine.join("one"), engine.join("two", last_seen=engine.tailnet.clock())
    engine.tailnet.live.came_online(two.id)
    (peer,) = engine.ask(Reader(one.id, 113, zstd=False))["Peers"]
    assert (peer["Online"], peer["LastSeen"]) == (True, "2026-03-04T05:06:07Z")


def test_what_peers_need_not_know_is_told_to_nobody(engine):
    one = engine.join("one")
    readers = [engine.reader(one), engine.reader(engine.join("two"))]
    for reader in readers:
        engine.ask(reader)
    engine.apply(replace(one, nl_key="nlpub:" + "1" * 64, register_method="cli"))
    assert [engine.ask(reader) for reader in readers] == [None, None]


def test_several_changes_of_a_node_are_one_patch_with_the_values_of_now(engine):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.ask(reader)
    for port in (1, 2, 3):
        two = replace(two, endpoints=(f"192.0.2.1:{port}",))
        engine.apply(two)
    engine.live.came_online(two.id)
    (patch,) = engine.ask(reader)["PeersChangedPatch"]
    assert (patch["Endpoints"], patch["Online"]) == (["192.0.2.1:3"], True)


def test_a_removed_node_is_told_by_its_id(engine):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.ask(reader)
    engine.live._writer._make_true(delete_node(engine.state, two.id, engine.tailnet.clock()))
    assert engine.ask(reader) == {"PeersRemoved": [two.id]}


def test_a_node_that_came_and_went_between_two_messages_is_not_told(engine):
    reader = engine.reader(engine.join("one"))
    two = engine.join("two")
    engine.live._writer._make_true(delete_node(engine.state, two.id, engine.tailnet.clock()))
    assert engine.ask(reader) is None


def test_a_node_that_waits_for_approval_sees_nobody_and_is_seen_by_nobody(engine):
    one, two = engine.join("one"), engine.join("two", authorized=False)
    assert "Peers" not in engine.ask(Reader(one.id, 113, zstd=False))
    waiting = Reader(two.id, 113, zstd=False)
    assert "Peers" not in engine.ask(waiting)
    engine.apply(replace(two, authorized=True), kind="node.authorized")
    message = engine.ask(waiting)
    assert message["Node"]["MachineAuthorized"]
    assert [peer["ID"] for peer in message["PeersChanged"]] == [one.id]


def test_an_expired_node_sees_nobody_and_is_shown_as_expired(engine):
    one, two = engine.join("one"), engine.join("two")
    at_one, at_two = engine.reader(one), engine.reader(two)
    engine.apply(replace(two, key_expiry=engine.tailnet.clock()))
    assert [peer["Expired"] for peer in engine.ask(at_one)["PeersChanged"]] == [True]
    message = engine.ask(at_two)
    assert message["Node"]["Expired"]
    assert message["PeersRemoved"] == [one.id]


ROUTE = "10.1.0.0/16"


def with_router(engine):
    """A router that everybody sees, and a route of it that is given to alice's."""
    engine.apply(User(id=2, name="bob", created=engine.tailnet.clock()), kind="user.created")
    router = engine.join(
        "router", tags=("tag:router",), hostinfo=Hostinfo(RoutableIPs=(ROUTE,)), approved_routes=(ROUTE,)
    )
    save_policy(engine)
    return router


def save_policy(engine, **more):
    acls = [
        {"action": "accept", "src": ["alice@", "bob@", "carol@"], "dst": ["tag:router:22"]},
        {"action": "accept", "src": ["alice@"], "dst": [f"{ROUTE}:*"]},
    ]
    document = json.dumps({"tagOwners": {"tag:router": []}, "acls": acls, **more})
    number = engine.state.next_id(PolicyVersion)
    version = PolicyVersion(id=number, document=document, created=engine.tailnet.clock())
    engine.apply(version, kind="policy.saved")


def test_who_changes_hands_is_told_anew_what_it_is_given_of_the_same_peers(engine):
    router, one = with_router(engine), engine.join("one")
    reader = engine.reader(one)
    told = []
    for owner in (2, 1):
        engine.apply(replace(engine.state.get(Node, one.id), user_id=owner))
        (peer,) = engine.ask(reader)["Peers"]
        assert peer["ID"] == router.id
        told.append(ROUTE in peer["AllowedIPs"])
    assert told == [False, True]


def test_a_user_who_is_somebody_else_now_is_told_anew_of_the_same_peers(engine):
    with_router(engine)
    reader = engine.reader(engine.join("one"))
    engine.apply(replace(engine.state.get(User, 1), name="carol"), kind="user.updated")
    (peer,) = engine.ask(reader)["Peers"]
    assert ROUTE not in peer["AllowedIPs"]


def test_a_policy_that_shows_a_viewer_every_peer_otherwise_tells_it_all(engine):
    with_router(engine)
    one = engine.reader(engine.join("one", ipv6="fd7a:115c:a1e0::1"))
    two = engine.reader(engine.join("two", user_id=2))
    save_policy(engine, nodeAttrs=[{"target": ["alice@"], "attr": ["disable-ipv4"]}])
    assert not any("100.64." in text for peer in engine.ask(one)["Peers"] for text in peer["AllowedIPs"])
    assert "Peers" not in engine.ask(two)


def test_readers_at_the_same_place_share_the_same_bytes(engine):
    readers = [engine.reader(engine.join(name)) for name in ("one", "two", "three")]
    for reader in readers:
        engine.ask(reader)
    engine.join("four")
    frames = [engine.live.netmap.next(reader) for reader in readers]
    assert frames[0] is not None
    assert len({id(frame) for frame in frames}) == 1


def test_a_reader_that_lagged_beyond_all_memory_is_told_the_whole_again(engine):
    one, two = engine.join("one"), engine.join("two")
    reader = engine.reader(one)
    for port in range(engine.live.netmap.journal.LIMIT + 2):
        engine.live.netmap._note(two.id, 2)
        engine.state.tick()
        del port
    engine.live._writer._make_true(delete_node(engine.state, two.id, engine.tailnet.clock()))
    message = engine.ask(reader)
    assert "Node" in message
    assert message["PeersRemoved"] == [two.id], "an empty `Peers` would say nothing"


def test_dns_is_told_again_when_it_changed_and_nothing_else_is(engine):
    reader = engine.reader(engine.join("one"))
    from hatsize.tailnet.model import DnsSettings

    engine.apply(DnsSettings(id=1, search_domains=("corp.example",)), kind="dns.updated")
    assert engine.ask(reader).keys() == {"DNSConfig"}


def test_a_farewell_tells_the_client_that_its_key_has_expired(engine):
    one = engine.join("one")
    reader = engine.reader(one, zstd=True)
    engine.live._writer._make_true(delete_node(engine.state, one.id, engine.tailnet.clock()))
    assert engine.live.netmap.next(reader) is None
    (body,) = FrameReader(compressed=True).receive(engine.live.netmap.farewell(one, reader))
    own = msgspec.json.decode(body)["Node"]
    assert (own["ID"], own["Expired"], own["KeyExpiry"]) == (one.id, True, "2026-03-04T05:06:07Z")
