"""Two changes of a node from the same former state: each keeps what it changed."""

from msgspec.structs import replace

from hatsize.tailnet.merge import merged
from hatsize.testing.contracts.storage_samples import a_node


def test_what_only_one_side_changed_is_kept():
    base = a_node()
    ours = replace(base, endpoints=("192.0.2.9:1",))
    theirs = replace(base, given_name="other")
    assert merged(base, ours, theirs) == replace(base, endpoints=("192.0.2.9:1",), given_name="other")


def test_where_both_changed_the_same_ours_holds():
    base = a_node()
    assert merged(base, replace(base, given_name="ours"), replace(base, given_name="theirs")).given_name == "ours"


def test_without_a_change_of_ours_it_is_theirs():
    base, theirs = a_node(), replace(a_node(), given_name="theirs")
    assert merged(base, base, theirs) is theirs
