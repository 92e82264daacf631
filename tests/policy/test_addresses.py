import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.policy.addresses import INTERNET, IPSet, number, span


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.2-10.0.0.1", "10.0.0.1-::1"])
def test_what_is_no_set_of_addresses(text):
    with pytest.raises(ValueError, match=r"."):
        span(text)


@pytest.mark.parametrize(
    ("address", "inside"),
    [("8.8.8.8", True), ("10.1.2.3", False), ("100.64.0.1", False), ("169.254.1.1", False), ("2001:db8::1", True),
     ("fd00::1", False), ("192.168.0.1", False), ("224.0.0.1", False)],
)  # fmt: skip
def test_the_internet(address, inside):
    assert (number(address) in INTERNET) is inside


def test_families_never_mix():
    assert IPSet.of("255.255.255.255", "::").prefixes() == ("255.255.255.255", "::")
    assert not IPSet.of("0.0.0.0/0").overlaps(IPSet.of("::/0"))


SMALL = st.builds(
    lambda base, bits: str(ipaddress.ip_network((base << (8 - bits) & 0xFF, 24 + bits), strict=False)),
    st.integers(0, 255),
    st.integers(0, 8),
)
SETS = st.lists(SMALL, max_size=4)


@given(SETS, SETS)
def test_sets_behave_as_sets_of_addresses(one, two):
    def members(texts):
        return {int(address) for text in texts for address in ipaddress.ip_network(text)}

    a, b, left, right = IPSet.of(*one), IPSet.of(*two), members(one), members(two)
    for place in range(256):
        assert (place in a | b) == (place in left | right)
        assert (place in a - b) == (place in left - right)
    assert a.overlaps(b) == bool(left & right)
    assert members((a | b).prefixes()) == left | right
