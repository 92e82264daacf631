"""What is known of the other replicas, and for how long it is believed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_cluster import notices
from hatsize_cluster.lease import Lease
from hatsize_cluster.others import Member, Others, Told


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def others(clock):
    return Others(clock)


def a_member(epoch=7, left=10.0, serial=0, **told):
    return Member(epoch, f"id{epoch}", f"name{epoch}", "0.1.0", left, draining=False, serial=serial, told=Told(**told))


def test_presence_is_read_once_and_then_changed(others):
    assert others.take([a_member(serial=3)]) == [7]
    others.read(7, 3, [1, 2])
    assert others.take([a_member(serial=3)]) == []
    assert others.change(7, 4, [5], [1])
    assert others.nodes == {2, 5}


def test_a_change_that_is_known_already_is_let_pass(others):
    others.take([a_member(serial=3)])
    others.read(7, 3, [1])
    assert others.change(7, 3, [9], [])
    assert others.nodes == {1}


def test_a_missed_change_means_reading_again(others):
    others.take([a_member(serial=3)])
    others.read(7, 3, [1])
    assert not others.change(7, 5, [9], [])
    assert others.take([a_member(serial=5)]) == [7]


def test_a_change_of_somebody_unknown_means_looking(others):
    assert not others.change(8, 1, [9], [])


def test_what_was_read_before_a_change_does_not_undo_it(others):
    others.take([a_member(serial=3)])
    others.read(7, 3, [1])
    others.change(7, 4, [2], [])
    others.read(7, 3, [1])
    assert others.nodes == {1, 2}


def test_whose_lease_is_over_counts_no_more(others):
    others.take([a_member()])
    others.read(7, 0, [1])
    others.take([a_member(left=-0.1)])
    assert not others.nodes
    assert not others


def test_who_is_forgotten_by_the_database_counts_no_more(others):
    others.take([a_member()])
    others.take([])
    assert not others


def test_after_being_cut_off_oneself_the_others_have_time_to_come_back(others, clock):
    others.take([a_member()])
    others.read(7, 0, [1])
    others.be_patient(10)
    others.take([a_member(left=-5)])
    assert others.nodes == {1}
    clock.now += 11
    others.take([a_member(left=-16), a_member(epoch=9)])
    assert not others.nodes
    assert [member.epoch for member in others.members] == [9]


def test_who_was_dead_before_is_not_waited_for(others):
    others.be_patient(10)
    others.take([a_member(left=-5)])
    assert not others


def test_the_senior_replica_says_who_serves_routes(others):
    others.take([a_member(7, primaries={"10.0.0.0/8": 1}), a_member(9, primaries={"10.0.0.0/8": 2})])
    assert others.primaries(own_epoch=8) == {"10.0.0.0/8": 1}
    assert others.primaries(own_epoch=3) is None


def test_one_that_leaves_is_no_senior(others):
    others.take([a_member(7, leaving=True, primaries={"10.0.0.0/8": 1})])
    assert others.primaries(own_epoch=8) is None


def test_a_node_that_moves_is_asked_for_where_it_came_to_last(others):
    others.take([a_member(7), a_member(9)])
    others.read(7, 0, [1])
    others.read(9, 0, [1])
    assert others.of(1) == 9
    assert others.of(2) is None


def test_silent_routers_are_all_that_any_tells(others):
    others.take([a_member(7, silent=[1]), a_member(9, silent=[2])])
    assert others.silent == {1, 2}


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=30), st.integers(0, 30))
def test_changes_come_to_what_reading_gives(news, read_at):
    """Wherever in the stream of changes the whole is read, the end is the same."""
    told, follower = set(), Others(Clock())
    follower.take([a_member()])
    follower.read(7, 0, [])
    for serial, (came, node) in enumerate(news, 1):
        (told.add if came else told.discard)(node)
        if serial == read_at:
            follower.take([a_member(serial=serial)])
            follower.read(7, serial, told)
        follower.change(7, serial, [node] if came else [], [] if came else [node])
    assert follower.nodes == told


def test_a_lease_is_over_by_the_clock_and_no_later_than_agreed(clock):
    lease = Lease(10, clock)
    assert not lease.holds
    lease.renewed(asked_at=100)
    clock.now = 109.9
    assert lease.holds
    clock.now = 110
    assert not lease.holds


def test_a_lease_that_was_lost_does_not_hold(clock):
    lease = Lease(10, clock)
    lease.renewed(100)
    lease.lost()
    assert not lease.holds


@given(st.text())
def test_any_notification_can_be_read(text):
    assert isinstance(notices.read(text), notices.Notice)


def test_what_a_newer_release_tells_is_taken_without_what_is_not_known():
    assert notices.read('{"epoch": 3, "serial": 1, "came": [5], "news": true}') == notices.Notice(3, 1, [5])
    assert replace(a_member()).told == Told()
