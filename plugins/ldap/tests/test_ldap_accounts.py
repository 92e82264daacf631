"""Whether an account may be used, as each kind of directory says so."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_ldap.accounts import DISABLED, EXPIRED, STATES, why_not
from hatsize_ldap.entries import Entry

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def reason(**attributes):
    return why_not(Entry.of("uid=ann", {name: [value.encode()] for name, value in attributes.items()}), NOW)


def test_an_account_of_which_nothing_is_said_may_be_used():
    assert reason() == ""


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("userAccountControl", "512", ""),
        ("userAccountControl", "514", DISABLED),
        ("useraccountcontrol", "66050", DISABLED),
        ("accountExpires", "0", ""),
        ("accountExpires", "9223372036854775807", ""),
        ("accountExpires", "9223372036854775806", ""),
        ("accountExpires", "133000000000000000", EXPIRED),
        ("accountExpires", "144000000000000000", ""),
        ("pwdAccountLockedTime", "000001010000Z", DISABLED),
        ("pwdAccountLockedTime", "20260304050000Z", ""),
        ("pwdEndTime", "20260304050607Z", EXPIRED),
        ("pwdEndTime", "20260304050608Z", ""),
        ("krbPrincipalExpiration", "20250101000000Z", EXPIRED),
        ("shadowExpire", "-1", ""),
        ("shadowExpire", "0", ""),
        ("shadowExpire", "20516", EXPIRED),
        ("shadowExpire", "20517", ""),
        ("nsAccountLock", "TRUE", DISABLED),
        ("nsAccountLock", "false", ""),
        ("accountStatus", "inactive", DISABLED),
        ("accountStatus", "active", ""),
    ],
)
def test_what_a_directory_says(attribute, value, words):
    assert reason(**{attribute: value}) == words


@given(st.sampled_from(sorted(STATES)), st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_else_it_says_is_understood_as_something(attribute, value):
    assert reason(**{attribute: value}) in {"", DISABLED, EXPIRED}
