"""The watched file of DNS records."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.server.records_file import RecordsFile, RecordsFileError, read
from hatsize.wire.tailcfg import DNSRecord


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "records.json"
    path.write_text('[{"name": "Printer.corp.", "type": "A", "value": "192.168.1.9"}]')
    return path


def test_a_record_is_what_clients_are_told(file):
    assert read(file) == (DNSRecord(Name="printer.corp", Value="192.168.1.9"),)


def test_types_that_the_value_does_not_show_are_told(file):
    file.write_text('[{"name": "a.corp", "type": "CNAME", "value": "b.corp"}, {"name": "c.corp", "value": "fd7a::1"}]')
    assert [record.Type for record in read(file)] == ["CNAME", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "records.json is not JSON: "),
        ("\udcff", "records.json is not JSON: "),
        ('{"name": "a.corp"}', "records.json is no list of records: "),
        ('[{"name": "a.corp", "value": "192.0.2.1"}, {"value": "x"}]', r"records: \[1\].name: Field required"),
        ('[{"name": "a corp", "value": "x"}]', "is not a domain name"),
        ('[{"name": "a.corp", "value": "x"}]', r"\[0\]: 'x' is not an IPv4 address"),
        ('[{"name": "a.corp", "type": "MX", "value": "x"}]', r"\[0\].type: Input should be 'A', 'AAAA'"),
        ('[{"name": "a.corp", "ttl": 5, "value": "x"}]', r"\[0\].ttl: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_said(file, text, words):
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecordsFileError, match=words):
        read(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecordsFileError, match=r"gone\.json cannot be read: No such file"):
        read(tmp_path / "gone.json")


@pytest.mark.anyio
async def test_a_bad_edit_keeps_the_former_records_and_says_so(file, caplog):
    taken = []
    records = RecordsFile(file, taken.append)
    await records.load()
    file.write_text("[")
    await records.reload()
    assert len(taken) == 1
    assert "the former DNS records stay in force" in caplog.text
    file.write_text("[]")
    await records.reload()
    assert taken[1:] == [()]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_no_file_is_worse_than_refused(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("fuzz") / "records.json"
    path.write_text(json.dumps(value))
    try:
        read(path)
    except RecordsFileError as error:
        assert str(path) in str(error)  # noqa: PT017 - there need not be one
