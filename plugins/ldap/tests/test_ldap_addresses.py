"""Addresses of servers, and where they refer to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_ldap.addresses import Address, Referral


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ldap://a.example.com", Address("a.example.com", 389, tls=False)),
        ("LDAPS://a.example.com/", Address("a.example.com", 636, tls=True)),
        ("ldap://[2001:db8::1]:3389", Address("2001:db8::1", 3389, tls=False)),
    ],
)
def test_an_address_has_a_port_of_its_own_or_the_usual_one(text, address):
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "a.example.com", "ldap://", "ldapi:///run/slapd", "ldap://a:99999", "ldap://["])
def test_what_is_none_is_said_to_be(text):
    with pytest.raises(ValueError, match="is not a directory's address"):
        Address.parse(text)


def test_a_referral_may_name_a_base():
    referral = Referral.parse("ldap://b.example.com/ou=west%20side,dc=example,dc=com??sub")
    assert referral == Referral(Address("b.example.com", 389, tls=False), "ou=west side,dc=example,dc=com")


@given(st.text())
def test_any_text_is_a_referral_or_none(text):
    assert Referral.parse(text) is None or Referral.parse(text).address.host
