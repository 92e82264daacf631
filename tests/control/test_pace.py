"""When everybody is told."""

import pytest

from hatsize.control.pace import LONGEST_REST, LONGEST_WAIT, Door, Pace


@pytest.fixture
def pace():
    return Pace()


def told(pace, *, took=0.01, changed=1):
    """A telling that ended at 100."""
    pace.told(100.0, took, changed)


def test_the_first_news_does_not_wait(pace):
    assert pace.pause(5.0, 5.0, expecting=False) <= 0
    assert pace.pause(5.0, 5.0, expecting=True) <= 0, "nobody is known to be told: nothing is saved by waiting"


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_after_a_lone_change_the_rest_is_as_long_as_the_telling(pace, changed):
    told(pace, took=0.01, changed=changed)
    assert pace.pause(100.0, 100.0, expecting=False) == pytest.approx(0.01)
    assert pace.pause(100.0, 100.02, expecting=False) <= 0


def test_the_more_nodes_had_changed_the_longer_the_rest_but_never_too_long(pace):
    rests = []
    for changed in (1, 3, 5, 1000):
        told(pace, took=0.01, changed=changed)
        rests.append(pace.pause(100.0, 100.0, expecting=False))
    assert rests == pytest.approx([0.01, 0.04, 0.12, LONGEST_REST])


def test_where_telling_takes_long_a_storm_leaves_two_thirds_of_the_time_to_others(pace):
    told(pace, took=1.0, changed=20)
    assert pace.pause(100.0, 100.0, expecting=False) == pytest.approx(2.0)
    told(pace, took=1.0, changed=1)
    assert pace.pause(100.0, 100.0, expecting=False) == pytest.approx(LONGEST_REST), "a lone change is no storm"


def test_news_waits_for_who_is_at_the_door_in_proportion_to_what_a_telling_costs(pace):
    told(pace, took=0.002)
    assert pace.pause(200.0, 200.0, expecting=True) == pytest.approx(0.02)
    assert pace.pause(200.0, 200.03, expecting=True) <= 0, "counted from when the news came"
    told(pace, took=0.1)
    assert pace.pause(200.0, 200.0, expecting=True) == pytest.approx(LONGEST_WAIT)
    assert pace.pause(200.0, 200.0, expecting=False) <= 0


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def emptied(door):
    found = []
    door.when_empty = lambda: found.append(len(door))
    return found


def test_the_door_says_when_the_last_one_has_left(door, emptied):
    door.enter("one")
    door.enter("two")
    door.leave("one")
    door.leave("one")
    assert (len(door), emptied) == (1, [])
    door.leave("two")
    assert (len(door), emptied) == (0, [0])


def test_who_is_forgotten_leaves_unnoticed(door, emptied):
    door.enter("one")
    door.forget()
    door.leave("one")
    assert (len(door), emptied) == (0, [])
