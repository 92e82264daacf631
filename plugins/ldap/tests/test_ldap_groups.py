"""Groups in groups, and what policies call them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_ldap import groups
from hatsize_ldap.entries import Entry, same_dn
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.groups import Groups, Once, closure
from hatsize_ldap.people import domain_of, policy_group
from hatsize_ldap.schemas import schema_of
from hatsize_ldap.settings import Settings

BASE = "dc=example,dc=com"
USER = Entry.of(f"uid=ann,{BASE}", {"uid": [b"ann"], "memberOf": [f"cn=dev,{BASE}".encode(), b"cn=x,dc=other"]})


class Session:
    """Notes what is searched for, and finds nothing."""

    def __init__(self):
        self.queries = []

    def search(self, query):
        self.queries.append(query)
        return []


def searched(**settings):
    session, given = Session(), Settings(base_dn=BASE, **settings)
    Groups(given, schema_of(given)).of(session, USER)
    return [(query.base, query.filter) for query in session.queries]


def test_groups_are_not_looked_for_when_there_are_to_be_none():
    assert searched(groups="none") == []


def test_groups_that_hold_dns_are_found_by_them():
    [(base, sought)] = searched(group_base_dn="ou=groups,dc=example,dc=com")
    assert base == "ou=groups,dc=example,dc=com"
    assert r"(|(member=uid\3dann\2cdc\3dexample\2cdc\3dcom)(uniqueMember=" in sought


def test_posix_groups_are_found_by_the_name():
    assert searched(login_schema="posix") == [(BASE, "(&(objectClass=posixGroup)(memberUid=ann))")]


def test_active_directory_goes_through_nested_groups_itself():
    [(_, sought)] = searched(login_schema="active-directory")
    assert sought.startswith("(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=uid")


def test_unless_nested_groups_are_not_wanted():
    [(_, sought)] = searched(login_schema="active-directory", nested_groups=False)
    assert sought.startswith("(&(objectClass=group)(member=uid")


def test_what_an_entry_is_a_member_of_counts_below_the_groups_base():
    assert searched(login_schema="freeipa") == [(f"cn=dev,{BASE}", "(objectClass=ipaUserGroup)")]


def test_what_users_have_in_common_is_looked_for_once():
    session = Session()
    once, given = Once(session), Settings(base_dn=BASE, login_schema="freeipa")
    for _ in range(3):
        Groups(given, schema_of(given)).of(once, USER)
    assert len(session.queries) == 1


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10), st.integers(0, 9))
def test_any_tangle_of_groups_has_an_end(above, start):
    def entries(numbers):
        return [Entry.of(f"cn={number}", {}) for number in numbers]

    found = closure(entries([start]), lambda entry: entries(above.get(int(entry.dn[3:]), [])))
    names = [entry.dn for entry in found]
    assert len(names) == len(set(names))
    reached, waiting = set(), [start]
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting += above.get(number, [])
    assert set(names) == {f"cn={number}" for number in reached}


def test_too_many_groups_are_said_to_be(monkeypatch):
    monkeypatch.setattr(groups, "LIMIT", 5)
    count = iter(range(100))
    with pytest.raises(DirectoryError, match="more than 5 groups"):
        closure([Entry.of("cn=first", {})], lambda _: [Entry.of(f"cn={next(count)}", {})])


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("dev", "group:dev@example.com"),
        ("Domain  Admins", "group:domain-admins@example.com"),
        ("a@b", "group:a-b@example.com"),
    ],
)
def test_policies_name_a_group_by_its_name_and_domain(name, group):
    assert policy_group(name, "example.com") == group


@pytest.mark.parametrize(
    ("dn", "domain"),
    [("ou=people, DC=Example,dc=com", "example.com"), ("o=example", "ldap"), ("", "ldap")],
)
def test_the_domain_is_that_of_the_directory(dn, domain):
    assert domain_of(dn) == domain


def test_a_dn_is_the_same_in_another_spelling():
    assert same_dn("CN=Dev, DC=Example,dc=com") == same_dn("cn=dev,dc=example,DC=com")
