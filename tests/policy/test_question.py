"""What a person may ask a policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.policy.question import Question, read_question


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("web", Question("web", 443)),
        ("web:22", Question("web", 22)),
        ("tag:web", Question("tag:web", 443)),
        ("tag:web:65535", Question("tag:web", 65535)),
        ("alice@example.com:22", Question("alice@example.com", 22)),
        ("100.64.0.1:22", Question("100.64.0.1", 22)),
        ("fd7a:115c:a1e0::22", Question("fd7a:115c:a1e0::22", 443)),
        ("[fd7a:115c:a1e0::1]:22", Question("fd7a:115c:a1e0::1", 22)),
        ("[fd7a:115c:a1e0::1]", Question("fd7a:115c:a1e0::1", 443)),
    ],
)
def test_reads_a_destination_and_its_port(text, asked):
    assert read_question(text) == asked


def test_a_protocol_is_a_name_or_a_number():
    assert read_question("web:53", "UDP") == read_question("web:53", "17") == Question("web", 53, 17)
    assert read_question("web", "icmp") == Question("web", 0, 1)


@pytest.mark.parametrize(
    ("text", "protocol", "told"),
    [
        ("web:0", "tcp", "0 is not a port"),
        ("web:65536", "tcp", "from 1 to 65535"),
        ("web:22", "icmp", "has no ports"),
        ("web", "tpc", 'unknown protocol "tpc"'),
    ],
)
def test_tells_what_is_wrong(text, protocol, told):
    with pytest.raises(ValueError, match=told):
        read_question(text, protocol)


@given(st.text(), st.text(max_size=8))
def test_anything_is_read_or_told(text, protocol):
    try:
        asked = read_question(text, protocol)
    except ValueError:
        return
    assert 0 <= asked.port < 65536
