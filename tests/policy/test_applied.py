"""Which rules speak of somebody, or of an address and port."""

import pytest

from hatsize.policy.actors import UnknownActorError
from hatsize.policy.applied import rules_from, rules_to
from hatsize.policy.question import read_question

POLICY = """{
	"groups": {"group:ops": ["bob@x.io"]},
	"tagOwners": {"tag:web": ["ann@x.io"]},
	"acls": [
		{"action": "accept", "src": ["group:ops", "ann@x.io"], "dst": ["tag:web:80,443", "100.64.0.6:*"]},
		{"action": "accept", "src": ["*"], "proto": "udp", "dst": ["10.1.0.0/16:53"]},
	],
	"grants": [
		{"src": ["autogroup:member"], "dst": ["autogroup:self"], "ip": ["tcp:22", "icmp:*"]},
		{"src": ["tag:web"], "dst": ["tag:web"], "app": {"example.com/cap/x": [{}]}},
	],
}"""


@pytest.fixture
def compiled(tailnet):
    nodes = {
        "web": {"ipv4": "100.64.0.5", "ipv6": "", "tags": ["tag:web"]},
        "ann-1": {"ipv4": "100.64.0.1", "ipv6": "", "tags": [], "user": "ann"},
    }
    return tailnet(POLICY, nodes=nodes).compiled


def lines(found):
    return [rule.line for rule in found]


def test_the_rules_of_a_user_are_those_that_have_them_as_a_source(compiled):
    found = rules_from(compiled, "bob@x.io")
    assert lines(found) == [5, 6, 9]
    assert found[0].sources == ("group:ops", "ann@x.io")
    assert found[0].opens == ("tag:web:80,443", "100.64.0.6:*")


def test_a_destination_that_several_protocols_reach_is_told_with_each_ones_ports(compiled):
    assert rules_from(compiled, "ann@x.io")[2].opens == ("autogroup:self:22", "autogroup:self:*")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("100.64.0.5:443", [5]),
        ("100.64.0.5:22", []),
        ("tag:web:80", [5]),
        ("100.64.0.6:1", [5]),
        ("10.1.2.3:53", [6]),
        ("10.1.2.3:54", []),
        ("100.64.0.1:22", [9]),
    ],
)
def test_the_rules_to_an_address_are_those_that_open_the_port(compiled, asked, expected):
    assert lines(rules_to(compiled, read_question(asked))) == expected


def test_without_rules_the_default_is_the_one_that_applies(tailnet):
    found = rules_to(tailnet({}).compiled, read_question("8.8.8.8:53"))
    assert [(rule.sources, rule.opens, rule.line) for rule in found] == [(("*",), ("*:*",), 0)]


def test_nobody_of_that_name_is_said(compiled):
    with pytest.raises(UnknownActorError, match="zoe"):
        rules_from(compiled, "zoe@x.io")
