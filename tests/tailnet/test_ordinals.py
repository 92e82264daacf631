"""Dense numbers for nodes: kept while a node exists, used again only when nobody remembers it."""

from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.ordinals import Ordinals, each_bit


def test_nodes_get_the_lowest_numbers_and_keep_them():
    ordinals = Ordinals()
    assert [ordinals.add(node_id) for node_id in (70, 5, 9, 5)] == [0, 1, 2, 1]
    assert ordinals.all == 0b111
    assert ordinals.ids(0b101) == [70, 9]
    assert (ordinals.of(5), ordinals.get(6)) == (1, None)


def test_a_removed_nodes_number_rests_until_it_is_released():
    ordinals = Ordinals()
    for node_id in (1, 2):
        ordinals.add(node_id)
    ordinals.remove(1, version=7)
    assert ordinals.all == 0b10
    assert ordinals.at(0) == 1, "who was told of it can still be told which node that was"
    assert ordinals.add(3) == 2
    ordinals.release(6)
    assert ordinals.add(4) == 3
    ordinals.release(7)
    assert ordinals.add(5) == 0
    assert ordinals.at(0) == 5


def test_bits_of_nodes_leave_out_those_that_are_gone():
    ordinals = Ordinals()
    for node_id in (1, 2):
        ordinals.add(node_id)
    ordinals.remove(1, version=1)
    assert ordinals.bits([1, 2, 3]) == 0b10


@given(st.sets(st.integers(0, 5000)))
def test_each_bit_gives_the_positions_of_a_bitset(positions):
    assert list(each_bit(sum(1 << position for position in positions))) == sorted(positions)
