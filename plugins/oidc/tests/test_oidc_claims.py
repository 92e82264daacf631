"""Claims: nested, namespaced, and of whatever shape a provider thinks of."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatsize_oidc.claims import LONGEST_GROUP, MOST_GROUPS, groups_at, pick, policy_group, text_at

UNHURRIED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMESPACE = "https://example.com/claims"


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"groups": ["a"]}, "groups", ["a"]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"resource_access": {"my.client": {"roles": ["a"]}}}, "resource_access.my.client.roles", ["a"]),
        ({f"{NAMESPACE}/groups": ["a"]}, f"{NAMESPACE}/groups", ["a"]),
        ({NAMESPACE: {"groups": ["a"]}}, f"{NAMESPACE}.groups", ["a"]),
        ({"a.b": {"x": 1}, "a": {"b": {"c": 2}}}, "a.b.c", 2),
        ({"a": "text"}, "a.b", None),
        ({}, "groups", None),
    ],
)
def test_a_claim_is_found_at_its_path(claims, path, found):
    assert pick(claims, path) == found


@pytest.mark.parametrize(
    ("value", "groups"),
    [
        (["a", "b", "a"], ("a", "b")),
        ("a", ("a",)),
        ({"admin": {"1": "example.com"}, "dev": {}}, ("admin", "dev")),
        (["a", 7, None, "", "x" * (LONGEST_GROUP + 1)], ("a",)),
        (7, ()),
        (None, ()),
    ],
)
def test_groups_are_read_from_lists_texts_and_objects(value, groups):
    assert groups_at({"groups": value}, "groups") == groups


def test_there_is_an_end_to_groups():
    assert len(groups_at({"g": [str(number) for number in range(5000)]}, "g")) == MOST_GROUPS


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("ops", "group:ops@work"),
        ("/ops/admins", "group:ops/admins@work"),
        ("ops@work", "group:ops@work"),
        ("ops@guests", "group:ops%40guests@work"),
        ("all staff", "group:all%20staff@work"),
        ("a:b", "group:a%3Ab@work"),
        ("Ämter", "group:Ämter@work"),
    ],
)
def test_a_group_has_a_name_in_policies(group, name):
    assert policy_group(group, "work") == name


@UNHURRIED
@given(st.text(min_size=1), st.text(min_size=1))
def test_a_provider_names_no_group_of_another(group, other):
    assert policy_group(group, "work").endswith("@work")
    assert policy_group(group, "work").count("@") == 1
    if policy_group(group, "work") == policy_group(other, "work"):
        assert group.removeprefix("/").removesuffix("@work") == other.removeprefix("/").removesuffix("@work")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@UNHURRIED
@given(st.dictionaries(st.text(), JSON), st.text())
def test_any_claims_are_read_or_left(claims, path):
    assert all(isinstance(group, str) for group in groups_at(claims, path))
    assert isinstance(text_at(claims, path), str)
