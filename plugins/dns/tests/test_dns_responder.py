"""Messages in, messages out, whatever comes in."""

from ipaddress import ip_address

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer
from hatsize_dns.lookup import Answer
from hatsize_dns.names import absolute
from hatsize_dns.responder import EDNS_UDP, Responder
from hatsize_dns.zone import Catalogue, Zone

LARGE = "".join(f'large TXT "{number:03}{"x" * 200}"\n' for number in range(20))


@pytest.fixture
def ask(zone_of, questions):
    return questions(zone_of("net.example.com", "web A 192.0.2.80\n" + LARGE))


def query(name="web.net.example.com", rdtype="A", **options):
    return dns.message.make_query(name, rdtype, **options)


def code(response):
    return dns.rcode.to_text(response.rcode())


def test_a_question_is_answered_in_its_own_spelling(ask):
    asked = query("wEb.NET.example.com")
    response = ask.respond(asked)
    assert (response.id, code(response), response.flags & dns.flags.AA) == (asked.id, "NOERROR", dns.flags.AA)
    assert response.question[0].name.labels == asked.question[0].name.labels
    assert response.answer[0].name.labels == asked.question[0].name.labels


def test_recursion_is_not_offered(ask):
    response = ask.respond(query())
    assert (bool(response.flags & dns.flags.RD), bool(response.flags & dns.flags.RA)) == (True, False)


def test_who_speaks_edns_is_answered_in_it(ask):
    response = ask.respond(query(use_edns=0, payload=4096))
    assert (response.edns, response.payload) == (0, EDNS_UDP)
    assert ask.respond(query(use_edns=-1)).edns == -1


def test_another_version_of_edns_is_refused(ask):
    assert code(ask.respond(query(use_edns=1))) == "BADVERS"


@pytest.mark.parametrize(("options", "most"), [({"use_edns": -1}, 512), ({"use_edns": 0, "payload": 9000}, EDNS_UDP)])
def test_what_does_not_fit_into_a_datagram_is_cut_off_and_says_so(ask, options, most):
    asked = query("large.net.example.com", "TXT", **options)
    assert len(ask.responder.respond(asked.to_wire(), ask.asker, udp=True)) <= most
    assert ask.respond(asked).flags & dns.flags.TC


def test_by_tcp_it_is_whole(ask):
    response = ask.respond(query("large.net.example.com", "TXT"), udp=False)
    assert (len(response.answer[0]), response.flags & dns.flags.TC) == (20, 0)


@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR", "OPT", "TKEY"])
def test_transfers_and_what_is_no_data_are_refused(ask, rdtype):
    assert code(ask.respond(query("net.example.com", rdtype), udp=False)) == "REFUSED"


def test_another_class_is_refused(ask):
    assert code(ask.respond(query(rdclass="CH"))) == "REFUSED"


def test_updates_and_notifications_are_not_implemented(ask):
    for opcode in (dns.opcode.UPDATE, dns.opcode.NOTIFY, dns.opcode.STATUS):
        asked = query()
        asked.set_opcode(opcode)
        response = ask.responder.respond(asked.to_wire(), ask.asker, udp=True)
        assert (response[3] & 0xF, response[2] >> 3 & 0xF) == (dns.rcode.NOTIMP, opcode)


def test_two_questions_at_once_are_malformed(ask):
    asked = query()
    asked.question += query("net.example.com").question
    assert code(ask.respond(asked)) == "FORMERR"


def test_a_signed_question_is_malformed_to_who_knows_no_keys(ask):
    asked = query()
    asked.use_tsig({absolute("k"): b"secret"}, keyname="k")
    assert code(ask.respond(asked)) == "FORMERR"


def test_a_response_is_not_answered(ask):
    assert ask.respond(dns.message.make_response(query())) is None


@pytest.mark.parametrize("wire", [b"", b"\0" * 11])
def test_neither_is_less_than_a_header(ask, wire):
    assert ask.responder.respond(wire, ask.asker, udp=True) is None
    assert ask.responder.truncated(wire) is None


def test_a_truncated_response_sends_people_to_tcp(ask):
    asked = query()
    response = dns.message.from_wire(ask.responder.truncated(asked.to_wire()))
    assert (response.id, bool(response.flags & dns.flags.TC), response.answer) == (asked.id, True, [])


def test_a_fault_of_ours_is_said_and_not_passed_on(ask, monkeypatch):
    monkeypatch.setattr("hatsize_dns.responder.answer_to", lambda *_: Answer(rcode="no number"))
    assert code(ask.respond(query())) == "SERVFAIL"


def test_responses_are_counted(ask):
    ask.respond(query())
    ask.respond(query("net.example.org"))
    assert ask.responder.responses == {"NOERROR": 1, "REFUSED": 1}


WILD = Responder(
    Catalogue([Zone(absolute("net.example.com"), ["everybody"], [FixedLayer()], ["ns."], "h.", lambda: 1, 60)])
)
SOMEBODY = Asker(ip_address("192.0.2.1"))
GOOD = query("a.b.net.example.com", "TXT", use_edns=0).to_wire()


def sound(wire, response):
    """Whether it may be sent: nothing, or a response to that message which can be read."""
    if response is None:
        return True
    assert response[:2] == wire[:2]
    assert response[2] & 0x80
    assert len(response) <= EDNS_UDP
    return "SERVFAIL" not in WILD.responses


@given(st.binary(max_size=600))
def test_whatever_comes_is_survived(wire):
    assert sound(wire, WILD.respond(wire, SOMEBODY, udp=True))


@given(st.binary(min_size=1, max_size=300))
def test_so_is_what_comes_after_a_good_header(rest):
    wire = GOOD[:12] + rest
    assert sound(wire, WILD.respond(wire, SOMEBODY, udp=True))


@given(st.lists(st.tuples(st.integers(2, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_and_a_good_question_gone_bad(changes):
    wire = bytearray(GOOD)
    for place, octet in changes:
        wire[place] = octet
    assert sound(bytes(wire), WILD.respond(bytes(wire), SOMEBODY, udp=True))
