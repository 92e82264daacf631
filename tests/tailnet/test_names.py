"""Names of nodes: DNS labels made from whatever machines call themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.names import LABEL, checked, sanitised, unique


@pytest.mark.parametrize(
    ("hostname", "label"),
    [
        ("desk", "desk"), ("Alice's MacBook Pro", "alices-macbook-pro"), ("web.example.com", "web"),
        ("Büro_PC", "buro-pc"), ("--x--", "x"), ("a--b", "a-b"), ("", "node"), ("日本", "node"), ("...", "node"),
        ("x" * 80, "x" * 63), ("x" * 62 + "-y", "x" * 62),
    ],
)  # fmt: skip
def test_a_label_is_made_of_a_host_name(hostname, label):
    assert sanitised(hostname) == label


@given(st.text(max_size=100))
def test_any_host_name_gives_a_valid_label(hostname):
    assert LABEL.fullmatch(sanitised(hostname))
    assert sanitised(sanitised(hostname)) == sanitised(hostname)


def test_a_taken_label_gets_the_lowest_free_number():
    taken = {"desk", "desk-1", "desk-3"}
    assert unique("desk", taken.__contains__) == "desk-2"
    assert unique("table", taken.__contains__) == "table"


@given(st.from_regex(LABEL, fullmatch=True), st.integers(0, 12))
def test_a_numbered_label_is_valid_too(label, others):
    taken = set()
    for _ in range(others):
        taken.add(unique(label, taken.__contains__))
    assert len(taken) == others
    assert all(LABEL.fullmatch(name) for name in taken)


@pytest.mark.parametrize("label", ["", "A", "a b", "-a", "a-", "x" * 64, "a.b", "ä", "a\n"])
def test_a_chosen_name_must_be_a_label(label):
    with pytest.raises(InvalidError, match="not a valid name"):
        checked(label)
