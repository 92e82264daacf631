"""What a host can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.derp.hosts import is_host


@pytest.mark.parametrize(
    "text", ["derp.example.com", "relay", "example.com.", "bücher.example", "192.0.2.1", "2001:db8::1"]
)
def test_names_and_addresses_are_hosts(text):
    assert is_host(text)


@pytest.mark.parametrize("text", ["", "a..b", ".a", "x" * 64 + ".example", "not a host", "host/path", "user@host"])
def test_what_is_no_host(text):
    assert not is_host(text)


@given(st.text())
def test_any_text_is_judged(text):
    assert is_host(text) in {True, False}
