"""The tests that policies carry, and why a packet gets through."""

import pytest

from hatsize.policy import PolicyError
from hatsize.policy.actors import UnknownActorError
from hatsize.policy.explain import explain

RULES = {
    "acls": [
        {"action": "accept", "src": ["group:team"], "dst": ["tag:web:22,443", "lab:53"]},
        {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]},
        {"action": "accept", "src": ["tag:db"], "dst": ["tag:web:*"], "proto": "icmp"},
    ],
    "groups": {"group:team": ["ann@x.io", "bob@x.io"]},
    "hosts": {"lab": "10.1.0.9", "net": "10.1.0.0/16"},
    "ssh": [
        {"action": "check", "src": ["bob@x.io"], "dst": ["tag:web"], "users": ["root"]},
        {"action": "accept", "src": ["group:team"], "dst": ["tag:web"], "users": ["autogroup:nonroot"]},
    ],
}


@pytest.mark.parametrize(
    "test",
    [
        {"src": "ann@x.io", "accept": ["tag:web:22"], "deny": ["tag:web:80", "tag:db:22"]},
        {"src": "group:team", "allow": ["tag:web:443", "lab:53", "10.1.0.9:53"]},
        {"src": "100.64.0.3", "accept": ["100.64.0.5:22"]},
        {"src": "bob@x.io", "accept": ["bob@x.io:22"], "deny": ["ann@x.io:22"]},
        {"src": "tag:db", "accept": ["tag:web:0"], "proto": "icmp"},
        {"src": "cyd@", "deny": ["tag:web:22"]},
        {"src": "tag:idle", "deny": ["tag:web:22"]},
    ],
)
def test_tests_that_pass(tailnet, test):
    tailnet({**RULES, "tests": [test]})


@pytest.mark.parametrize(
    ("test", "error"),
    [
        ({"src": "ann@x.io", "accept": ["tag:web:80"]}, 'address "tag:web:80": want: Accept, got: Drop'),
        ({"src": "ann@x.io", "deny": ["tag:web:22"]}, 'address "tag:web:22": want: Drop, got: Accept'),
        ({"src": "ann@x.io", "accept": ["tag:web:53"], "proto": "udp"}, "want: Accept, got: Drop"),
        ({"src": "ann@x.io", "accept": ["tag:web:22,443"]}, "a test needs one port"),
        ({"src": "ann@x.io", "accept": ["tag:web:*"]}, "a test needs one port"),
        ({"src": "ann@x.io", "accept": ["net:22"]}, '"10.1.0.0/16" is a network'),
        ({"src": "ann@x.io", "accept": ["*:22"]}, '"*" cannot be the destination of a test'),
        ({"src": "ann@x.io", "accept": ["phantom:22"]}, '"phantom" is no node'),
        ({"src": "phantom", "accept": ["tag:web:22"]}, '"phantom" is no node'),
        ({"src": "tag:phantom", "deny": ["tag:web:22"]}, '"tag:phantom" names nobody'),
        ({"accept": ["tag:web:22"]}, "src must be specified"),
        ({"src": "ann@x.io"}, "accept or deny must be specified"),
    ],
)
def test_tests_that_fail(tailnet, test, error):
    with pytest.raises(PolicyError, match=r"^test\(s\) failed$") as caught:
        tailnet({**RULES, "tests": [test]})
    assert error.replace("10.1.0.0/16", "net") in caught.value.body()["data"][0]["errors"][0]
    assert caught.value.data[0]["user"] == test.get("src", "")


@pytest.mark.parametrize(
    ("test", "passes"),
    [
        ({"src": "bob@x.io", "dst": ["tag:web"], "check": ["root"], "accept": ["ubuntu"]}, True),
        ({"src": "bob@x.io", "dst": ["web-host"], "check": ["root"]}, True),
        ({"src": "ann@x.io", "dst": ["tag:web"], "deny": ["root"], "accept": ["ann"]}, True),
        ({"src": "cyd@", "dst": ["tag:web"], "deny": ["root", "cyd"]}, True),
        ({"src": "bob@x.io", "dst": ["tag:web"], "accept": ["root"]}, False),
        ({"src": "ann@x.io", "dst": ["tag:web"], "check": ["ann"]}, False),
        ({"src": "ann@x.io", "dst": ["tag:web"]}, False),
        ({"src": "ann@x.io", "dst": ["tag:web"], "accept": [""]}, False),
    ],
)
def test_tests_of_ssh(tailnet, test, passes):
    policy = {**RULES, "hosts": {**RULES["hosts"], "web-host": "100.64.0.5"}, "sshTests": [test]}
    if passes:
        tailnet(policy)
    else:
        with pytest.raises(PolicyError, match=r"test\(s\) failed"):
            tailnet(policy)


def test_tests_can_suppose_postures(tailnet):
    policy = {
        "postures": {"posture:tier": ["custom:tier == 7"]},
        "acls": [{"action": "accept", "src": ["*"], "dst": ["tag:web:22"], "srcPosture": ["posture:tier"]}],
    }
    test = {"src": "bob@x.io", "accept": ["tag:web:22"], "srcPostureAttrs": {"custom:tier": 7}}
    tailnet({**policy, "tests": [test, {"src": "bob@x.io", "deny": ["tag:web:22"]}]})


def test_explaining_names_the_rule_and_its_line(tailnet):
    text = """{
      "tagOwners": {"tag:web": []},
      "acls": [
        {"action": "accept", "src": ["tag:web"], "dst": ["*:1"]},
        {"action": "accept", "src": ["ann@x.io"], "dst": ["tag:web:22,80-90"], "proto": "tcp"},
      ],
    }"""
    found = explain(tailnet(text).compiled, "ann-1", "web", 85)
    assert found.allowed
    assert [(one.path, one.line, one.opens) for one in found.reasons] == [("acls[1]", 5, "tag:web:22,80-90 tcp")]


@pytest.mark.parametrize(
    ("src", "dst", "port", "why"),
    [
        ("ann-1", "web", 80, "no rule opens port 80 for tcp, only acls[0], line 1: tag:web:22,443"),
        ("ann-1", "db", 22, "no rule with ann-1 as a source has db as a destination"),
        ("web", "db", 22, "no rule has web as a source"),
    ],
)
def test_explaining_why_not(tailnet, src, dst, port, why):
    found = explain(tailnet(RULES).compiled, src, dst, port)
    assert not found.allowed
    assert found.missing == (f"{src} to {dst}: {why}",)


def test_explaining_something_unknown(tailnet):
    with pytest.raises(UnknownActorError, match='"phantom" is no node'):
        explain(tailnet(RULES).compiled, "phantom", "web")


def test_without_rules_the_default_is_the_reason(tailnet):
    assert explain(tailnet({}).compiled, "web", "8.8.8.8", 53).reasons[0].path == "default"
