"""Deadlines of nodes: each has one at most, the newest, and it comes once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hatsize.live.deadlines import Deadlines

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def test_gives_back_the_nodes_whose_moment_has_come_in_its_order():
    deadlines = Deadlines()
    for node_id, minutes in ((1, 30), (2, 10), (3, 20)):
        deadlines.set(node_id, at(minutes))
    assert deadlines.due(at(9)) == []
    assert deadlines.due(at(20)) == [2, 3]
    assert deadlines.due(at(20)) == []
    assert deadlines.due(at(60)) == [1]


def test_a_newer_deadline_replaces_the_older_and_none_removes_it():
    deadlines = Deadlines()
    for node_id in (1, 2):
        deadlines.set(node_id, at(10))
    deadlines.set(1, at(30))
    deadlines.set(2, None)
    assert deadlines.due(at(20)) == []
    assert deadlines.due(at(30)) == [1]


@given(st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(0, 9)), max_size=30))
def test_due_is_what_a_dictionary_of_the_newest_says(settings):
    deadlines, newest = Deadlines(), {}
    for node_id, minutes in settings:
        deadlines.set(node_id, None if minutes is None else at(minutes))
        newest[node_id] = minutes
    for now in (4, 9):
        due = {node_id for node_id, minutes in newest.items() if minutes is not None and minutes <= now}
        assert set(deadlines.due(at(now))) == due
        newest = {node_id: minutes for node_id, minutes in newest.items() if node_id not in due}
