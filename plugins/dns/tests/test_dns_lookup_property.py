"""Whatever is in a zone, a question has an answer that makes sense, and things are there that were put there."""

from ipaddress import ip_address

import dns.rdata
from dns.name import Name
from dns.rcode import NOERROR, NXDOMAIN, YXDOMAIN
from dns.rdataclass import IN
from dns.rdatatype import CNAME, DNAME, NS, SOA, A
from hypothesis import given
from hypothesis import strategies as st

from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer
from hatsize_dns.lookup import MOST_ALIASES, answer_to
from hatsize_dns.names import absolute
from hatsize_dns.zone import Catalogue, Zone

ORIGIN = absolute("net.example.com")
STRANGER = Asker(ip_address("192.0.2.1"))
LABELS = st.sampled_from([b"a", b"b", b"B", b"*", b"_x"])
NAMES = st.lists(LABELS, max_size=3).map(lambda labels: Name(labels).concatenate(ORIGIN))
VALUES = st.one_of(
    st.just((A, "192.0.2.1")),
    st.tuples(st.sampled_from([CNAME, DNAME, NS]), NAMES.map(lambda name: name.to_text())),
)
RECORDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


def zone(records, *layers):
    made = [(name, 60, dns.rdata.from_text(IN, rdtype, value)) for name, (rdtype, value) in records]
    return Zone(ORIGIN, ["everybody"], [FixedLayer(made), *layers], ["ns."], "h.", lambda: 1, 60)


@given(records=RECORDS, name=NAMES, rdtype=st.sampled_from([A, CNAME, NS, SOA]))
def test_every_question_has_an_answer_that_makes_sense(records, name, rdtype):
    answer = answer_to(Catalogue([zone(records)]), name, rdtype, STRANGER)
    assert answer.rcode in {NOERROR, NXDOMAIN, YXDOMAIN}
    assert len(answer.answer) <= 2 * MOST_ALIASES
    assert all(rrset for rrset in (*answer.answer, *answer.authority, *answer.additional))
    if not answer.answer:
        assert [rrset.rdtype for rrset in answer.authority] in ([SOA], [NS])
        assert answer.authoritative is (answer.authority[0].rdtype == SOA)


@given(records=st.lists(st.tuples(NAMES, st.just((A, "192.0.2.1"))), max_size=8))
def test_what_is_there_is_found_and_so_is_everything_above_it(records):
    catalogue = Catalogue([zone(records)])
    for name, _ in records:
        assert answer_to(catalogue, name, A, STRANGER).answer[0].name == name
        above = name
        while above != ORIGIN:
            above = above.parent()
            assert answer_to(catalogue, above, A, STRANGER).rcode == NOERROR


@given(records=RECORDS, name=NAMES)
def test_one_layer_or_two_make_no_difference(records, name):
    half = len(records) // 2
    second = FixedLayer((name, 60, dns.rdata.from_text(IN, *value)) for name, value in records[half:])
    answers = [
        answer_to(Catalogue([each]), name, A, STRANGER) for each in (zone(records), zone(records[:half], second))
    ]
    assert answers[0] == answers[1]
