"""Trying passwords: how often, and how long the waits become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.control.attempts import FORGOTTEN_AFTER, LONGEST, Attempts, Failures


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts(clock):
    return Attempts(clock, free_by_name=3, free_by_address=5)


def failed(attempts, name, remote, times):
    for _ in range(times):
        assert not isinstance(attempts.begin(name, remote), float)


def test_the_first_ones_are_free(attempts):
    failed(attempts, "ann", "192.0.2.1", 3)


def test_then_each_failure_doubles_the_wait(attempts, clock):
    failed(attempts, "ann", "192.0.2.1", 3)
    waits = []
    for number in range(12):
        waits.append(attempts.begin("ann", f"192.0.2.{number}"))
        clock.now += waits[-1]
        failed(attempts, "ann", f"192.0.2.{number}", 1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST, LONGEST, LONGEST]


def test_asking_during_a_wait_does_not_lengthen_it(attempts, clock):
    failed(attempts, "ann", "192.0.2.1", 4 - 1)
    assert [attempts.begin("ann", "192.0.2.1") for _ in range(5)] == [1.0] * 5
    clock.now += 1
    failed(attempts, "ann", "192.0.2.1", 1)


def test_a_name_is_the_same_however_it_is_written(attempts):
    for name in ("ann", " Ann", "ANN "):
        failed(attempts, name, "192.0.2.1", 1)
    assert attempts.begin("ann", "198.51.100.1") == 1.0


def test_one_address_cannot_go_through_many_names(attempts):
    for number in range(5):
        failed(attempts, f"user{number}", "192.0.2.1", 1)
    assert attempts.begin("somebody-else", "192.0.2.1") == 1.0
    failed(attempts, "somebody-else", "192.0.2.2", 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(attempts, one, other, same):
    for number in range(5):
        failed(attempts, f"user{number}", one, 1)
    assert (attempts.begin("somebody-else", other) == 1.0) is same


def test_a_success_clears_the_name_and_leaves_the_address_its_failures(attempts):
    failed(attempts, "ann", "192.0.2.1", 2)
    attempts.begin("ann", "192.0.2.1").succeeded()
    assert attempts.by_name.wait("ann") == 0
    failed(attempts, "ann", "192.0.2.1", 3)
    assert attempts.begin("eve", "192.0.2.1") == 1.0


def test_what_nobody_could_answer_is_no_failure(attempts):
    for _ in range(20):
        attempts.begin("ann", "192.0.2.1").went_unanswered()


def test_many_at_once_count_as_many(attempts):
    under_way = [attempts.begin("ann", "192.0.2.1") for _ in range(4)]
    assert [isinstance(each, float) for each in under_way] == [False, False, False, True]


def test_failures_are_forgotten_after_a_while(attempts, clock):
    failed(attempts, "ann", "192.0.2.1", 3)
    clock.now += FORGOTTEN_AFTER + 1
    failed(attempts, "ann", "192.0.2.1", 3)


@given(st.lists(st.text(max_size=3), max_size=60))
def test_the_memory_is_bounded(names):
    failures = Failures(1, lambda: 0.0, room=4)
    for name in names:
        failures.add(name)
    assert len(failures._counts) <= 4
    assert all(failures.wait(name) > 0 for name in names[-1:])
