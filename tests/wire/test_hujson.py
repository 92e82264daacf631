"""HuJSON: what is accepted, where errors point to, and the one layout. Layouts were checked against Go's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire import hujson
from hatsize.wire.hujson import HuJSONError, format_hujson, pack, parse, plain, position, standardise, version_tag

COMMENTED = """// The policy.
{
\t"a": [1, 2,], /* two */
\t"b": null, // none
}
"""


def test_reads_comments_and_trailing_commas():
    assert plain(parse(COMMENTED)) == {"a": [1, 2], "b": None}


def test_a_tree_that_was_only_parsed_is_the_same_text():
    assert pack(parse(COMMENTED)) == COMMENTED.encode()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[1,", "line 1, column 4: parsing value: unexpected EOF"),
        ("{a:1}", "line 1, column 2: invalid literal: a"),
        ('{"a" 1}', "line 1, column 6: invalid character '1' after object name"),
        ('{\n"a": 1 "b"}', "line 2, column 8: invalid character '\"' after object value (expecting ',' or '}')"),
        ("[1 2]", "line 1, column 4: invalid character '2' after array value (expecting ',' or ']')"),
        ("{1: 2}", "line 1, column 2: invalid character '1' at start of object name"),
        ("[}", "line 1, column 2: invalid character '}' at start of value"),
        ("1 1", "line 1, column 3: invalid character '1' after top-level value"),
        ("01", "line 1, column 1: invalid literal: 01"),
        ('"\n"', 'line 1, column 1: invalid literal: "\n"'),
        ("/* open", "line 1, column 1: parsing comment: unexpected EOF"),
        ('"open', "line 1, column 6: parsing string: unexpected EOF"),
        ("[1] \x01", "line 1, column 5: invalid character '\\u0001' after top-level value"),
    ],
)
def test_errors_tell_line_and_column(text, error):
    with pytest.raises(HuJSONError) as caught:
        parse(text)
    assert str(caught.value) == error


def test_values_know_where_they_stand():
    text = '{\n  "a": [true]\n}'
    value = parse(text).members[0][1]
    assert position(text, value.items[0].start) == (2, 9)


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ('{"a":1,"bb":[1,2,],}', '{"a": 1, "bb": [1, 2]}\n'),
        ('{\n"a":1,"bb":2}', '{\n\t"a":  1,\n\t"bb": 2\n}\n'),
        ('{\n"a":1,"bb":2} //x\n', '{\n\t"a":  1,\n\t"bb": 2,\n} //x\n'),
        ("[ ]", "[]\n"),
        ("[ // why\n]", "[ // why\n]\n"),
        ('["' + "y" * 80 + '"]', '[\n\t"' + "y" * 80 + '"\n]\n'),
        ('{"a": "\\u0041\\u003c\\n"}', '{"a": "A<\\n"}\n'),
        ('{\n\n\n\n"a":1,\n\n\n\n"b":2\n\n}', '{\n\t"a": 1,\n\n\t"b": 2\n}\n'),
        ('{"a":{\n"b":1}}', '{"a": {\n\t"b": 1\n}}\n'),
        ("/*\n  one\n  two\n*/ 1", "/*\none\ntwo\n*/ 1\n"),
        ("[\n/*\n * one\n */\n1]", "[\n\t/*\n\t * one\n\t */\n\t1,\n]\n"),
    ],
)
def test_the_one_layout(text, layout):
    assert format_hujson(text).decode() == layout
    assert format_hujson(layout).decode() == layout


def test_standardised_text_is_json_of_the_same_length():
    standard = standardise(COMMENTED)
    assert json.loads(standard) == {"a": [1, 2], "b": None}
    assert len(standard) == len(COMMENTED.encode())
    assert standard.count(b"\n") == COMMENTED.count("\n")


def test_the_version_tag_is_that_of_the_layout():
    assert version_tag('{"a":1}') == version_tag('{ "a" : 1 }')
    assert version_tag('{"a":1}') != version_tag('{"a":2}')
    assert len(version_tag("{}")) == 64


def test_what_is_no_text_becomes_the_replacement_character():
    assert plain(parse(b'"\xff"')) == "\ufffd"
    assert plain(parse('"\\ud800x"')) == "\ufffdx"
    assert plain(parse('"\\ud83d\\ude80"')) == "\U0001f680"


def test_nesting_and_size_are_bounded():
    with pytest.raises(HuJSONError, match="nested deeper"):
        parse("[" * 100_000)
    with pytest.raises(HuJSONError, match="larger than"):
        parse(b" " * (hujson.MAX_SIZE + 1))
    with pytest.raises(HuJSONError, match="invalid literal"):
        parse("1" * 100_000)


FRAGMENTS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"', '"a"', "1", "-", "true", "null", "//x\n", "/*", "*/", "\\", "\n", " ", "é"]
)


@given(st.one_of(st.lists(FRAGMENTS, max_size=30).map("".join), st.text(max_size=40), st.binary(max_size=40)))
def test_nothing_but_hujson_errors(text):
    try:
        once = format_hujson(text)
    except HuJSONError:
        return
    assert format_hujson(once) == once
    assert plain(parse(once)) == plain(parse(text)) or "NaN" in str(plain(parse(text)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_keeps_its_meaning(value):
    text = json.dumps(value)
    assert plain(parse(text)) == value
    assert json.loads(format_hujson(text)) == value
    assert json.loads(standardise(text)) == value
