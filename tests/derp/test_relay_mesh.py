"""What the other relays of a region see, and what forwarding does."""

import pytest

from hatsize.derp.counters import Drop
from hatsize.wire.derp import frames
from hatsize.wire.derp.splitter import FrameError


class TestWatching:
    def test_a_watcher_is_told_who_is_here_and_what_changes(self, stage):
        alice = stage.connect("alice")
        mesh = stage.connect("mesh", mesh=True)
        mesh.sends(frames.WATCH_CONNS)
        assert mesh.gets() == ["alice present: 1", "mesh present: 2"]
        stage.connect("bob", prober=True, not_ideal=True)
        assert mesh.gets() == ["bob present: 13"]
        alice.leaves()
        assert mesh.gets() == ["alice gone: DISCONNECTED"]
        assert stage.counters.watchers == 1

    def test_a_duplicate_is_gone_with_its_last_connection(self, stage):
        mesh = stage.connect("mesh", mesh=True)
        mesh.sends(frames.WATCH_CONNS)
        mesh.gets()
        first, second = stage.cast("bob", "bob")
        first.leaves()
        assert mesh.gets() == ["bob present: 1"] * 2
        second.leaves()
        assert mesh.gets() == ["bob gone: DISCONNECTED"]

    def test_one_who_left_watches_no_more(self, stage):
        mesh = stage.connect("mesh", mesh=True)
        mesh.sends(frames.WATCH_CONNS)
        mesh.gets()
        mesh.leaves()
        stage.connect("bob")
        assert mesh.gets() == []
        assert stage.counters.watchers == 0

    def test_a_relay_does_not_watch_itself(self, stage):
        itself = stage.connect("relay", mesh=True)
        itself.sends(frames.WATCH_CONNS)
        assert itself.gets() == []

    @pytest.mark.parametrize("frame", [frames.WATCH_CONNS, frames.close_peer(bytes(32))])
    def test_only_mesh_peers_may(self, stage, frame):
        alice = stage.connect("alice")
        with pytest.raises(FrameError, match="only a mesh peer"):
            alice.sends(frame)


class TestClosing:
    def test_a_mesh_peer_closes_all_connections_of_a_key(self, stage):
        mesh = stage.connect("mesh", mesh=True)
        first, second = stage.cast("bob", "bob")
        mesh.sends(frames.close_peer(stage.key_of("bob")))
        assert first.sink.closed
        assert second.sink.closed


class TestForwarding:
    def test_a_packet_for_a_peer_elsewhere_goes_over_the_link(self, stage):
        (alice,) = stage.cast("alice")
        link = stage.Link()
        stage.relay.add_elsewhere(stage.key_of("bob"), link)
        bob = stage.key_of("bob")
        alice.sends(frames.send_packet(bob, b"one"), frames.send_packet(bob, b"two"))
        source = stage.key_of("alice")
        assert link.frames == [frames.forward_packet(source, bob, b"one") + frames.forward_packet(source, bob, b"two")]
        assert stage.counters.packets_forwarded_out == 2

    def test_a_peer_that_is_here_is_not_looked_for_elsewhere(self, stage):
        alice, bob = stage.cast("alice", "bob")
        link = stage.Link()
        stage.relay.add_elsewhere(stage.key_of("bob"), link)
        alice.packet("bob")
        assert bob.gets() == ["alice: hello"]
        assert link.frames == []

    def test_a_forwarded_packet_is_delivered_in_its_sender_s_name(self, stage):
        mesh, bob = stage.connect("mesh", mesh=True), stage.connect("bob")
        mesh.sends(frames.forward_packet(stage.key_of("alice"), stage.key_of("bob"), b"from afar"))
        assert bob.gets() == ["alice: from afar"]
        assert stage.counters.packets_forwarded_in == 1

    def test_a_forwarded_packet_is_never_forwarded_again(self, stage):
        mesh, link = stage.connect("mesh", mesh=True), stage.Link()
        stage.relay.add_elsewhere(stage.key_of("bob"), link)
        mesh.sends(frames.forward_packet(stage.key_of("alice"), stage.key_of("bob"), stage.disco))
        assert link.frames == []
        assert mesh.gets() == ["bob gone: NOT_HERE"]
        assert stage.counters.packets_dropped == {Drop.UNKNOWN_FORWARDED: 1}

    def test_a_full_link_drops_and_counts(self, stage):
        (alice,) = stage.cast("alice")
        link = stage.Link()
        link.full = True
        stage.relay.add_elsewhere(stage.key_of("bob"), link)
        alice.packet("bob")
        assert stage.counters.packets_dropped == {Drop.MESH_QUEUE_FULL: 1}

    def test_the_relay_that_has_known_a_peer_longest_is_used(self, stage):
        (alice,) = stage.cast("alice")
        first, second = stage.Link(), stage.Link()
        bob = stage.key_of("bob")
        for link in (first, second, first):
            stage.relay.add_elsewhere(bob, link)
        alice.packet("bob")
        stage.relay.remove_elsewhere(bob, first)
        alice.packet("bob")
        assert (len(first.frames), len(second.frames)) == (1, 1)
        assert stage.counters.mesh_peers == 1

    def test_those_who_heard_a_peer_from_afar_learn_that_it_left_the_region(self, stage):
        mesh, bob, link = stage.connect("mesh", mesh=True), stage.connect("bob"), stage.Link()
        alice = stage.key_of("alice")
        stage.relay.add_elsewhere(alice, link)
        mesh.sends(frames.forward_packet(alice, stage.key_of("bob"), b"hello"))
        stage.relay.remove_elsewhere(alice, stage.Link())
        assert bob.gets() == ["alice: hello"]
        stage.relay.remove_elsewhere(alice, link)
        assert bob.gets() == ["alice gone: DISCONNECTED"]

    def test_a_peer_that_moves_to_another_relay_is_not_gone(self, stage):
        alice, bob = stage.cast("alice", "bob")
        alice.packet("bob")
        stage.relay.add_elsewhere(stage.key_of("alice"), stage.Link())
        alice.leaves()
        assert bob.gets() == ["alice: hello"]
