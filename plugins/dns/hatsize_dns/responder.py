"""A question as bytes, the response as bytes. No sockets."""

import logging
from collections import Counter

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
from dns.message import Message
from dns.rcode import Rcode
from dns.rdatatype import AXFR, IXFR, MAILA, MAILB, OPT, TKEY, TSIG

from hatsize_dns.asker import Asker
from hatsize_dns.lookup import Answer, answer_to
from hatsize_dns.zone import Catalogue

log = logging.getLogger(__name__)

HEADER = 12
PLAIN_UDP = 512
EDNS_UDP = 1232
"""What no network has to cut into fragments."""
LARGEST_QUERY = 4096
NOT_ANSWERED = {AXFR, IXFR, MAILA, MAILB, OPT, TKEY, TSIG}
"""Types one may not ask for: transfers, and what is no data."""


class Responder:
    """Answers questions from the zones, and counts what it answered."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.responses: Counter[str] = Counter()
        """By the response code's name."""

    def respond(self, wire: bytes, asker: Asker, *, udp: bool) -> bytes | None:
        """The response to what somebody sent; None for what deserves none, as a response."""
        if len(wire) < HEADER or wire[2] & 0x80:
            return None
        opcode = wire[2] >> 3 & 0xF
        if opcode != dns.opcode.QUERY:
            return self._bare(wire, dns.rcode.NOTIMP)
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return self._bare(wire, dns.rcode.FORMERR)
        try:
            return self._answered(query, asker, udp=udp)
        except Exception:  # one question that we cannot answer must not be one for the next
            if not self.responses["SERVFAIL"]:
                log.exception("a question could not be answered: %s", query.question)
            return self._bare(wire, dns.rcode.SERVFAIL)

    def truncated(self, wire: bytes) -> bytes | None:
        """A response that says no more than that one should ask by TCP."""
        if len(wire) < HEADER or wire[2] & 0x80:
            return None
        return self._bare(wire, dns.rcode.NOERROR, dns.flags.TC)

    def _answered(self, query: Message, asker: Asker, *, udp: bool) -> bytes:
        response = dns.message.make_response(query, our_payload=EDNS_UDP)
        answer = self._answer(query, asker)
        response.set_rcode(answer.rcode)
        response.flags |= dns.flags.AA if answer.authoritative else 0
        response.answer, response.authority = answer.answer, answer.authority
        response.additional = answer.additional
        self._count(answer.rcode)
        return response.to_wire(max_size=_largest(query) if udp else 65535, prefer_truncation=True)

    def _answer(self, query: Message, asker: Asker) -> Answer:
        if query.edns > 0:
            return Answer(dns.rcode.BADVERS, authoritative=False)
        if len(query.question) != 1:
            return Answer(dns.rcode.FORMERR, authoritative=False)
        question = query.question[0]
        if question.rdclass != dns.rdataclass.IN or question.rdtype in NOT_ANSWERED:
            return Answer(dns.rcode.REFUSED, authoritative=False)
        return answer_to(self.catalogue, question.name, question.rdtype, asker)

    def _bare(self, wire: bytes, rcode: Rcode, flags: int = 0) -> bytes:
        """A response of nothing but a header."""
        self._count(rcode)
        kept = int.from_bytes(wire[2:4], "big") & 0x7900  # the opcode, and whether recursion is desired
        return wire[:2] + (kept | dns.flags.QR | flags | rcode).to_bytes(2, "big") + bytes(8)

    def _count(self, rcode: Rcode) -> None:
        self.responses[dns.rcode.to_text(rcode)] += 1


def _largest(query: Message) -> int:
    return PLAIN_UDP if query.edns < 0 else max(PLAIN_UDP, min(query.payload, EDNS_UDP))
