"""What scopes include, and which there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.scopes import NAMES, SCOPES, checked_scopes, grants


@pytest.mark.parametrize("name", NAMES)
def test_a_scope_includes_reading_and_reading_includes_nothing(name):
    assert grants([name], name)
    assert grants([name], f"{name}:read")
    assert grants([f"{name}:read"], f"{name}:read")
    assert not grants([f"{name}:read"], name)


def test_all_includes_every_other_one_and_all_read_the_reading_of_it():
    assert all(grants(["all"], scope) for scope in SCOPES)
    assert [scope for scope in SCOPES if grants(["all:read"], scope)] == [s for s in SCOPES if s.endswith(":read")]


def test_one_scope_includes_no_other_and_none_includes_none():
    assert not grants(["dns", "users"], "policy_file:read")
    assert not grants([], "dns:read")
    assert not grants(["devices"], "devices:core:read")


def test_scopes_are_kept_once_and_in_order():
    assert checked_scopes(["users", "all:read", "users"]) == ("all:read", "users")


@given(st.lists(st.sampled_from(SCOPES) | st.text(max_size=30), max_size=6))
def test_what_is_no_scope_is_named_with_those_there_are(given_scopes):
    unknown = [scope for scope in given_scopes if scope not in SCOPES]
    if not unknown:
        assert set(checked_scopes(given_scopes)) == set(given_scopes)
        return
    with pytest.raises(InvalidError, match="is not a scope: there are all, auth_keys"):
        checked_scopes(given_scopes)
