"""Names from outside in filters and DNs: whatever is typed stays one value."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_ldap.filters import both, either, equals, escaped, in_name, is_typeable, subject_is, subject_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HARMLESS = re.compile(r"(?:[A-Za-z0-9@._-]|\\[0-9a-f]{2})*")


def unescaped(text):
    return re.sub(rb"\\([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())


@given(TEXT)
def test_a_value_holds_no_character_that_means_something(text):
    assert HARMLESS.fullmatch(escaped(text))
    assert HARMLESS.fullmatch(in_name(text))


@given(st.one_of(TEXT, st.binary()))
def test_a_value_is_the_same_when_it_is_read(value):
    assert unescaped(escaped(value)) == (value.encode() if isinstance(value, str) else value)


@given(TEXT)
def test_a_value_in_a_name_is_the_same_when_it_is_read(text):
    assert unescaped(in_name(text)) == text.encode()


@given(TEXT)
def test_ldap3_reads_a_filter_as_one_comparison(text):
    from ldap3.operation.search import MATCH_EQUAL, parse_filter

    root = parse_filter(equals("uid", text or "x"), None, False, False, None, False)
    [only] = root.elements
    assert only.tag == MATCH_EQUAL
    assert only.assertion["attr"] == "uid"
    assert unescaped(only.assertion["value"].decode()) == (text or "x").encode()


@given(TEXT)
def test_ldap3_reads_a_name_as_one_value(text):
    from ldap3.utils.dn import parse_dn

    parts = parse_dn(f"uid={in_name(text or 'x')},dc=example,dc=com")
    assert [attribute for attribute, _, _ in parts] == ["uid", "dc", "dc"]


@pytest.mark.parametrize(
    ("typed", "inside"),
    [
        ("*", r"\2a"),
        ("a)(uid=*", r"a\29\28uid\3d\2a"),
        ("a\0b", r"a\00b"),
        ("é", r"\c3\a9"),
        ("o.b-c_d@x", "o.b-c_d@x"),
    ],
)
def test_what_people_try_is_only_a_name(typed, inside):
    assert equals("uid", typed) == f"(uid={inside})"


def test_filters_are_put_together():
    assert both("(a=b)", either(["(c=d)", "(e=f)"])) == "(&(a=b)(|(c=d)(e=f)))"


@pytest.mark.parametrize("name", ["ann", "Ann Example", "o'neil", "名"])
def test_a_name_somebody_may_have(name):
    assert is_typeable(name)


@pytest.mark.parametrize("name", ["", "  ", "a\0", "a\nb", "\ud800", "a\u2028b", "\x7f"])
def test_a_name_nobody_has(name):
    assert not is_typeable(name)


@given(st.uuids())
def test_active_directorys_identifier_is_text_to_us_and_bytes_to_it(identifier):
    assert subject_of("objectGUID", identifier.bytes_le) == str(identifier)
    assert unescaped(subject_is("objectGUID", str(identifier))) == b"(objectGUID=" + identifier.bytes_le + b")"


def test_other_identifiers_are_text():
    identifier = str(uuid.uuid4())
    assert subject_of("entryUUID", identifier.upper().encode()) == identifier
    assert subject_is("entryUUID", identifier) == f"(entryUUID={identifier})"


def test_an_identifier_of_another_kind_finds_nobody():
    assert subject_is("objectGUID", "ann") == "(objectGUID=ann)"
