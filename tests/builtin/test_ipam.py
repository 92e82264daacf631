"""The built-in allocators: one after the other, or at random."""

from ipaddress import IPv4Network, IPv6Network

import pytest

from hatsize.builtin.ipam import Random, Sequential
from hatsize.hooks.ipam import AllocationRequest
from hatsize.testing.contracts.ipam import IPAllocatorContract
from hatsize.testing.contracts.storage_samples import a_node


class TestSequential(IPAllocatorContract):
    @pytest.fixture
    def allocator(self):
        return Sequential()

    def test_goes_on_after_the_last_one_given(self, ask):
        assert [ask()[0] for _ in range(3)] == ["100.64.0.1", "100.64.0.2", "100.64.0.3"]

    def test_comes_round_to_what_was_given_back(self, ask):
        small = (IPv4Network("192.0.2.0/29"),)
        assert [ask(v4=small)[0][-1] for _ in range(7)] == ["1", "2", "3", "4", "5", "6", "1"]

    def test_both_families_count_alike(self, ask):
        assert ask() == ("100.64.0.1", "fd7a:115c:a1e0::1")

    def test_after_a_restart_it_goes_on_behind_what_is_taken(self, ask):
        assert ask(taken={"100.64.0.1", "100.64.0.2"})[0] == "100.64.0.3"


class TestRandom(IPAllocatorContract):
    @pytest.fixture
    def allocator(self):
        return Random()

    def test_addresses_say_nothing_of_their_neighbours(self, ask):
        given = [ask() for _ in range(20)]
        assert len({ipv4 for ipv4, _ in given}) == 20
        assert sorted(given) != given


@pytest.mark.parametrize("allocator", [Sequential(), Random()])
def test_a_prefix_of_one_address_has_one(allocator):
    one = [IPv4Network("192.0.2.7/32")], [IPv6Network("2001:db8::7/128")]
    request = AllocationRequest(a_node(), None, *one, frozenset().__contains__)
    assert allocator.allocate(request) == ("192.0.2.7", "2001:db8::7")
