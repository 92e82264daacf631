"""Answers from zones: what is there, what is not, and what stands for something else."""

import dns.rdatatype
import pytest

EXAMPLE = """
@ MX 10 mail
mail A 192.0.2.25
www CNAME web
web A 192.0.2.80
    AAAA 2001:db8::80
    TXT "hello"
deep.er A 192.0.2.7
* TXT "anything"
*.wild A 192.0.2.8
known.wild TXT "known"
out CNAME www.elsewhere.example.
loop1 CNAME loop2
loop2 CNAME loop1
moved DNAME new
a.new A 192.0.2.9
sub NS ns.sub
sub NS ns.other.example.
sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub A 192.0.2.53
srv SRV 0 5 443 web
caa CAA 0 issue "ca.example"
odd TYPE65280 \\# 2 abcd
"""


@pytest.fixture
def ask(zone_of, questions):
    return questions(
        zone_of("net.example.com", EXAMPLE), zone_of("second.example.com", "www CNAME web.net.example.com.")
    )


def authority(answer):
    return [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in answer.authority]


@pytest.mark.parametrize(
    ("name", "rdtype", "values"),
    [
        ("web.net.example.com", "A", ["192.0.2.80"]),
        ("WEB.net.EXAMPLE.com", "AAAA", ["2001:db8::80"]),
        ("net.example.com", "MX", ["10 mail.net.example.com."]),
        ("srv.net.example.com", "SRV", ["0 5 443 web.net.example.com."]),
        ("caa.net.example.com", "CAA", ['0 issue "ca.example"']),
        ("odd.net.example.com", "TYPE65280", ["\\# 2 abcd"]),
    ],
)
def test_a_record_of_any_type_is_found_in_any_case(ask, name, rdtype, values):
    assert ask.values(name, rdtype) == values
    assert ask(name, rdtype).authoritative


def test_a_zone_has_a_start_and_servers_though_its_file_has_none(ask):
    assert ask.values("net.example.com", "NS") == ["ns1.example.org."]
    assert ask.values("net.example.com", "SOA") == ["ns1.example.org. hostmaster.net.example.com. 7 3600 600 604800 30"]


def test_those_of_its_file_go_before(zone_of, questions):
    ask = questions(zone_of("example.com", "@ SOA ns hm 5 1 1 1 9\n@ NS ns\nns A 192.0.2.1"))
    assert ask.values("example.com", "SOA") == ["ns.example.com. hm.example.com. 5 1 1 1 9"]
    assert [rrset.ttl for rrset in ask("example.com", "TXT").authority] == [9]


def test_a_name_without_the_type_says_so_with_the_start(ask):
    answer = ask("web.net.example.com", "MX")
    assert (answer.rcode, answer.answer, authority(answer)) == (0, [], [("net.example.com.", "SOA")])
    assert answer.authority[0].ttl == 30


def test_a_name_that_is_not_there_says_so_with_the_start(zone_of, questions):
    answer = questions(zone_of("net.example.com", "web A 192.0.2.1"))("none.net.example.com")
    assert (answer.rcode, authority(answer)) == (3, [("net.example.com.", "SOA")])


def test_a_name_with_something_below_it_is_there(ask):
    assert (ask.rcode("er.net.example.com"), ask.values("er.net.example.com")) == ("NOERROR", [])


@pytest.mark.parametrize("name", ["example.com", "com", "net.example.org", "xnet.example.com", "."])
def test_a_name_of_no_zone_is_refused(ask, name):
    answer = ask(name)
    assert (answer.rcode, answer.authoritative) == (5, False)


def test_an_alias_is_followed(ask):
    assert ask.values("www.net.example.com") == ["192.0.2.80", "web.net.example.com."]


def test_an_alias_into_another_zone_of_ours_too(ask):
    assert ask.values("www.second.example.com", "AAAA") == ["2001:db8::80", "web.net.example.com."]


def test_an_alias_to_elsewhere_is_told_alone(ask):
    assert (ask.rcode("out.net.example.com"), ask.values("out.net.example.com")) == (
        "NOERROR", ["www.elsewhere.example."],
    )  # fmt: skip


def test_an_alias_may_be_asked_for_itself(ask):
    assert ask.values("www.net.example.com", "CNAME") == ["web.net.example.com."]


def test_aliases_in_a_ring_come_to_an_end(ask):
    assert len(ask("loop1.net.example.com").answer) == 8


def test_a_wildcard_answers_in_the_name_that_was_asked(ask):
    (rrset,) = ask("whatever.at.all.net.example.com", "TXT").answer
    assert (rrset.name.to_text(), rrset[0].to_text()) == ("whatever.at.all.net.example.com.", '"anything"')


def test_a_wildcard_knows_which_types_it_has(ask):
    assert (ask.rcode("whatever.net.example.com", "A"), ask.values("whatever.net.example.com", "A")) == ("NOERROR", [])


def test_the_closest_wildcard_is_taken_and_no_other(ask):
    assert ask.values("x.y.wild.net.example.com") == ["192.0.2.8"]
    assert ask.values("x.y.wild.net.example.com", "TXT") == []


def test_a_name_that_is_there_has_nothing_of_the_wildcard(ask):
    assert ask.values("known.wild.net.example.com") == []
    assert ask.rcode("below.known.wild.net.example.com") == "NXDOMAIN"


def test_a_renamed_subtree_is_followed(ask):
    assert ask.values("a.moved.net.example.com") == ["192.0.2.9", "a.new.net.example.com.", "new.net.example.com."]


def test_a_renamed_name_that_becomes_too_long_says_so(zone_of, questions):
    ask = questions(zone_of("example.com", f"m DNAME {'x' * 60}.{'y' * 60}.{'z' * 60}"))
    assert ask.rcode(f"{'a' * 60}.{'b' * 30}.m.example.com") == "YXDOMAIN"


@pytest.mark.parametrize("name", ["sub.net.example.com", "host.below.sub.net.example.com"])
def test_a_delegated_zone_is_referred_to(ask, name):
    answer = ask(name)
    assert (answer.authoritative, answer.answer, authority(answer)) == (False, [], [("sub.net.example.com.", "NS")])
    assert [rrset.to_text() for rrset in answer.additional] == ["ns.sub.net.example.com. 300 IN A 192.0.2.53"]


def test_whether_a_delegated_zone_is_signed_is_the_parents_to_say(ask):
    assert len(ask.values("sub.net.example.com", "DS")) == 1


def test_who_wants_everything_gets_little(ask):
    assert ask.values("web.net.example.com", "ANY") == ['"RFC8482" ""']
    assert ask.rcode("none.wild2.example", "ANY") == "REFUSED"


def test_the_first_view_that_fits_is_used(zone_of, questions):
    views = [
        zone_of("net.example.com", "web A 10.0.0.1", clients=["10.0.0.0/8"]),
        zone_of("net.example.com", "web A 192.0.2.1", clients=["everybody"]),
    ]
    assert questions(*views).values("web.net.example.com") == ["192.0.2.1"]


def test_a_zone_without_a_view_for_the_asker_is_refused(zone_of, questions):
    assert questions(zone_of("net.example.com", "", clients=["tailnet"])).rcode("net.example.com", "SOA") == "REFUSED"
