"""What clients of a relay see, as transcripts."""

import pytest

from hatsize.derp.counters import Drop
from hatsize.derp.limits import MIN_BURST, Limits
from hatsize.wire.derp import frames
from hatsize.wire.derp.splitter import FrameError


class TestPackets:
    def test_a_packet_arrives_with_its_sender_s_name(self, stage):
        alice, bob = stage.cast("alice", "bob")
        alice.packet("bob", b"hello")
        bob.packet("alice", b"hello yourself")
        assert bob.gets() == ["alice: hello"]
        assert alice.gets() == ["bob: hello yourself"]

    def test_what_one_read_brings_for_one_peer_is_written_once(self, stage):
        alice, bob, carol = stage.cast("alice", "bob", "carol")
        to = {name: stage.key_of(name) for name in ("bob", "carol")}
        alice.sends(*(frames.send_packet(to[name], text) for name, text in [("bob", b"1"), ("carol", b"2")] * 3))
        assert bob.gets() == ["alice: 1"] * 3
        assert carol.gets() == ["alice: 2"] * 3
        assert bob.sink.writes == carol.sink.writes == 1

    def test_a_packet_to_oneself_comes_back(self, stage):
        (alice,) = stage.cast("alice")
        alice.packet("alice", b"echo")
        assert alice.gets() == ["alice: echo"]

    def test_packets_and_bytes_are_counted(self, stage):
        alice, _ = stage.cast("alice", "bob")
        alice.packet("bob", b"12345")
        alice.packet("nobody", b"123")
        counters = stage.counters
        assert (counters.packets_received, counters.bytes_received) == (2, 8)
        assert (counters.packets_sent, counters.bytes_sent) == (1, 5)
        assert counters.packets_dropped == {Drop.UNKNOWN: 1}
        assert counters.bytes_dropped == {Drop.UNKNOWN: 3}


class TestPings:
    def test_a_ping_is_answered_with_its_own_bytes(self, stage):
        (alice,) = stage.cast("alice")
        alice.sends(frames.ping(b"12345678"))
        assert alice.gets() == ["PONG 12345678"]

    def test_a_ping_that_is_too_short_ends_the_connection(self, stage):
        (alice,) = stage.cast("alice")
        with pytest.raises(FrameError, match="ping"):
            alice.sends(frames.ping(b"1234"))


class TestHomes:
    def test_a_home_is_counted_while_it_is_one(self, stage):
        alice, bob = stage.cast("alice", "bob")
        alice.sends(frames.note_preferred(home=True), frames.note_preferred(home=True))
        bob.sends(frames.note_preferred(home=True))
        assert stage.counters.homes == 2
        bob.sends(frames.note_preferred(home=False))
        assert stage.counters.homes == 1
        alice.leaves()
        assert stage.counters.homes == 0


class TestPeerGone:
    def test_those_who_heard_a_peer_learn_that_it_left(self, stage):
        alice, bob, carol = stage.cast("alice", "bob", "carol")
        alice.packet("bob")
        bob.gets()
        alice.leaves()
        assert bob.gets() == ["alice gone: DISCONNECTED"]
        assert carol.gets() == []

    def test_they_are_told_once(self, stage):
        alice, bob = stage.cast("alice", "bob")
        alice.packet("bob")
        alice.leaves()
        alice = stage.connect("alice")
        alice.leaves()
        assert bob.gets() == ["alice: hello", "alice gone: DISCONNECTED"]

    def test_nothing_is_kept_of_listeners_who_left(self, stage):
        alice, bob = stage.cast("alice", "bob")
        alice.packet("bob")
        bob.leaves()
        alice.leaves()
        assert bob.gets() == ["alice: hello"]
        assert not stage.relay._audience._listeners

    def test_path_discovery_to_an_absent_peer_is_answered_but_not_always(self, stage):
        (alice,) = stage.cast("alice")
        for _ in range(5):
            alice.packet("nobody", stage.disco)
        assert alice.gets() == ["nobody gone: NOT_HERE"] * 3
        stage.wait(1)
        alice.packet("nobody", stage.disco)
        alice.packet("nobody", stage.disco)
        assert alice.gets() == ["nobody gone: NOT_HERE"]

    def test_other_packets_to_an_absent_peer_are_lost_in_silence(self, stage):
        (alice,) = stage.cast("alice")
        alice.packet("nobody", b"x" * 100)
        assert alice.gets() == []


class TestDuplicates:
    def test_the_newest_connection_receives(self, stage):
        old, alice = stage.cast("bob", "alice")
        new = stage.connect("bob")
        alice.packet("bob", b"1")
        assert (old.gets(), new.gets()) == ([], ["alice: 1"])
        assert stage.counters.duplicate_keys == 1

    def test_the_last_to_send_receives(self, stage):
        old, alice = stage.cast("bob", "alice")
        new = stage.connect("bob")
        old.packet("alice")
        alice.packet("bob", b"1")
        new.packet("alice")
        alice.packet("bob", b"2")
        assert (old.gets(), new.gets()) == (["alice: 1"], ["alice: 2"])

    def test_a_key_is_gone_when_its_last_connection_is(self, stage):
        old, alice = stage.cast("bob", "alice")
        new = stage.connect("bob")
        new.packet("alice")
        new.leaves()
        alice.packet("bob", b"still here?")
        assert old.gets() == ["alice: still here?"]
        assert alice.gets() == ["bob: hello"]
        old.leaves()
        assert alice.gets() == ["bob gone: DISCONNECTED"]
        assert stage.counters.duplicate_keys == 0

    def test_the_one_that_was_active_before_receives_again(self, stage):
        first, alice = stage.cast("bob", "alice")
        second, third = stage.connect("bob"), stage.connect("bob")
        first.packet("alice")
        third.packet("alice")
        third.leaves()
        alice.packet("bob", b"1")
        assert (first.gets(), second.gets()) == (["alice: 1"], [])


class TestSlowReceivers:
    def test_a_blocked_client_loses_its_packets_and_nobody_else_s(self, stage):
        alice, slow, bob = stage.cast("alice", "slow", "bob")
        stage.relay.block(slow.client)
        alice.packet("slow", b"x" * 100)
        alice.packet("bob")
        stage.relay.unblock(slow.client)
        alice.packet("slow", b"again")
        assert slow.gets() == ["alice: again"]
        assert bob.gets() == ["alice: hello"]
        assert stage.counters.packets_dropped == {Drop.QUEUE_FULL: 1}
        assert stage.counters.bytes_dropped == {Drop.QUEUE_FULL: 100}

    def test_path_discovery_still_passes_within_a_reserve(self, stage):
        alice, slow = stage.cast("alice", "slow")
        stage.relay.block(slow.client)
        key = stage.key_of("slow")
        mixed = [frames.send_packet(key, b"data"), frames.send_packet(key, stage.disco)]
        alice.sends(*mixed)
        assert len(slow.gets()) == 1
        slow.sink.waiting = Limits().queue + Limits().disco_reserve
        alice.sends(*mixed)
        assert slow.gets() == []
        assert stage.counters.packets_dropped == {Drop.QUEUE_FULL: 3}

    def test_one_that_reads_nothing_is_closed(self, stage):
        (slow,) = stage.cast("slow")
        slow.sink.waiting = 300_000
        stage.relay.block(slow.client)
        stage.wait(2)
        assert not slow.sink.closed
        stage.wait(1)
        assert slow.sink.closed
        assert stage.counters.write_timeouts == 1

    def test_one_that_reads_a_little_is_kept(self, stage):
        (slow,) = stage.cast("slow")
        slow.sink.waiting = 300_000
        stage.relay.block(slow.client)
        for _ in range(20):
            slow.sink.waiting -= 1000
            stage.wait(1)
        assert not slow.sink.closed

    def test_a_mesh_peer_has_more_time(self, stage):
        mesh = stage.connect("mesh", mesh=True)
        stage.relay.block(mesh.client)
        stage.wait(30)
        assert not mesh.sink.closed
        stage.wait(1)
        assert mesh.sink.closed


class TestTime:
    def test_a_keepalive_comes_every_minute(self, stage):
        (alice,) = stage.cast("alice")
        stage.wait(59)
        assert alice.gets() == []
        stage.wait(1)
        assert alice.gets() == ["KEEP_ALIVE"]
        stage.wait(60)
        assert alice.gets() == ["KEEP_ALIVE"]

    def test_one_who_left_is_forgotten(self, stage):
        (alice,) = stage.cast("alice")
        alice.leaves()
        stage.wait(120)
        assert alice.gets() == []

    def test_a_silent_client_that_can_answer_is_pinged_and_then_closed(self, stage):
        alice = stage.connect("alice", can_ack_pings=True)
        stage.wait(180)
        assert alice.gets() == ["KEEP_ALIVE", "KEEP_ALIVE", "PING hatsize?", "KEEP_ALIVE", "PING hatsize?"]
        stage.wait(60)
        assert alice.sink.closed
        assert stage.counters.idle_timeouts == 1

    def test_an_answer_keeps_it(self, stage):
        alice = stage.connect("alice", can_ack_pings=True)
        for _ in range(5):
            stage.wait(60)
            alice.sends(frames.pong(b"hatsize?"))
        assert alice.gets() == ["KEEP_ALIVE"] * 5

    def test_a_clock_that_jumps_misses_nobody(self, stage):
        alice, bob = stage.cast("alice", "bob")
        stage.now += 3600
        stage.relay.tick()
        assert alice.gets() == bob.gets() == ["KEEP_ALIVE"]

    def test_before_a_restart_everybody_is_told_when_to_come_back(self, stage):
        alice, bob = stage.cast("alice", "bob")
        stage.relay.announce_restart(reconnect_in=2, try_for=30)
        assert alice.gets() == ["restarting: 2000 30000"]
        assert bob.gets() == ["restarting: 3000 30000"]


class TestRates:
    def test_a_sender_over_its_rate_is_read_no_further_for_a_while(self, stage):
        stage.open(bytes_per_second=10_000, burst=MIN_BURST)
        alice, bob = stage.cast("alice", "bob")
        alice.packet("bob", bytes(60_000))
        assert alice.sink.paused_for is None
        alice.packet("bob", bytes(10_000))
        assert alice.sink.paused_for == pytest.approx((70_000 + 2 * 37 - MIN_BURST) / 10_000)
        assert len(bob.gets()) == 2
        assert stage.counters.rate_limited == 1

    def test_a_mesh_peer_is_not_limited(self, stage):
        stage.open(bytes_per_second=1, burst=MIN_BURST)
        mesh = stage.connect("mesh", mesh=True)
        mesh.packet("mesh", bytes(60_000))
        mesh.packet("mesh", bytes(60_000))
        assert mesh.sink.paused_for is None

    def test_a_burst_must_admit_the_largest_packet(self):
        with pytest.raises(ValueError, match="65568"):
            Limits(bytes_per_second=1000, burst=1000)


class TestEviction:
    def test_all_connections_of_a_node_are_ended(self, stage):
        first, second, alice = stage.cast("bob", "bob", "alice")
        assert stage.relay.evict(stage.key_of("bob")) == 2
        assert (first.sink.closed, second.sink.closed, alice.sink.closed) == (True, True, False)
        assert stage.relay.evict(stage.key_of("nobody")) == 0

    def test_closing_the_relay_ends_all(self, stage):
        cast = stage.cast("alice", "bob", "bob")
        stage.relay.close()
        assert all(actor.sink.closed for actor in cast)


def test_the_counters_are_plain_numbers_by_name(stage):
    alice, _ = stage.cast("alice", "bob")
    alice.packet("nobody", b"123")
    snapshot = stage.counters.snapshot()
    assert snapshot["clients"] == 2
    assert snapshot["packets_dropped"] == {"unknown_dest": 1}
