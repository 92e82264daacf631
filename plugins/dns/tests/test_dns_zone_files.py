"""Zone files: every type of record, and words for what is none."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatsize_dns.names import absolute, zone_names
from hatsize_dns.zone_files import ZoneFileError, read

ORIGIN = absolute("net.example.com")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web A 192.0.2.256", "is not a zone file of net.example.com.: "),
        ("web A", "is not a zone file"),
        ("$INCLUDE /etc/passwd", "is not a zone file"),
        ("web NOSUCH x", "is not a zone file"),
        ("$TTL soon", "is not a zone file"),
    ],
)
def test_what_is_none_is_named_with_the_line(tmp_path, text, words):
    path = tmp_path / "net.zone"
    path.write_text("$TTL 60\n" + text + "\n")
    with pytest.raises(ZoneFileError) as refused:
        read(path, ORIGIN)
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "line:" in str(refused.value)


def test_signatures_are_left_out(zone_of, questions):
    signature = "web RRSIG A 13 4 60 20300101000000 20200101000000 1 net.example.com. AAAA"
    ask = questions(zone_of("net.example.com", f"web A 192.0.2.1\n{signature}\n"))
    assert (ask.values("web.net.example.com"), ask.values("web.net.example.com", "RRSIG")) == (["192.0.2.1"], [])


@given(text=st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_too_strange(tmp_path, text):
    path = tmp_path / "net.zone"
    path.write_text("$TTL 60\n" + text, "utf-8", errors="replace")
    with suppress(ZoneFileError):
        read(path, ORIGIN)


@given(st.text(max_size=80))
def test_no_name_of_a_zone_is_too_strange(text):
    with suppress(ValueError):
        assert zone_names(text)
