"""What a document may not say, and how that is told."""

import json

import pytest

from hatsize.policy import PolicyError, read_document

TAGS = {"tagOwners": {"tag:a": []}}


def grant(**fields):
    return {"grants": [{"src": ["*"], "dst": ["tag:a"], **({"ip": ["*"]} if "app" not in fields else {}), **fields}]}


def acl(src, dst, **fields):
    return {"acls": [{"action": "accept", "src": src, "dst": dst, **fields}]}


def ssh(**fields):
    return {"ssh": [{"action": "accept", "src": ["a@x.io"], "dst": ["tag:a"], "users": ["root"], **fields}]}


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"grant": []}, 'unknown field "grant" (did you mean "grants"?)'),
        ({"acls": [{"action": "accept", "source": []}]}, 'unknown field "source"'),
        ({"acls": {}}, "acls must be a list"),
        ({"acls": [{"action": "deny"}]}, 'action="deny" is not supported'),
        (acl(["*"], ["tag:a"]), 'dst="tag:a": port range "a": invalid first integer'),
        (acl(["*"], ["tag:a:0"]), "first port must be >0, or use '*' for wildcard"),
        (acl(["*"], ["tag:a:80-"]), 'port range "80-": invalid last integer'),
        (acl(["*"], ["tag:a:99999"]), "invalid first integer"),
        (acl(["*"], ["tag:a:22"], proto="icmp"), 'protocol "icmp" has no ports'),
        (acl(["*"], ["tag:a:22"], proto="carrier-pigeon"), 'unknown protocol "carrier-pigeon"'),
        (acl(["tag:b"], ["tag:a:22"]), 'src=tag not found: "tag:b"'),
        (acl(["*"], ["tag:b:22"]), 'dst="tag:b": tag not found: "tag:b"'),
        (acl(["group:b"], ["tag:a:22"]), 'src=group not found: "group:b"'),
        (acl(["nobody"], ["tag:a:22"]), 'src="nobody": invalid address'),
        (acl(["10.0.0.1/8"], ["tag:a:22"]), '"10.0.0.1/8": invalid address'),
        (acl(["autogroup:self"], ["tag:a:22"]), '"autogroup:self" not valid on the src side of a rule'),
        (acl(["autogroup:wrong"], ["tag:a:22"]), 'invalid autogroup "autogroup:wrong"'),
        (acl(["*"], ["autogroup:danger-all:*"]), "cannot use autogroup:danger-all as a dst"),
        (acl(["*"], ["0.0.0.0/0:*"]), 'dst "0.0.0.0/0": to allow all IP addresses, use "*" or "autogroup:internet"'),
        (acl(["tag:a"], ["autogroup:self:*"]), "autogroup:self can only be used with users, groups, or supported"),
        (acl(["*"], ["tag:a:22"], srcPosture=["posture:x"]), 'posture not found: "posture:x"'),
        (grant(ip=[]), "ip and app can not both be empty"),
        (grant(ip=["icmp"]), 'port range "icmp": invalid first integer'),
        (grant(app={"x": [{}]}), "capability name must have the form {domain}/{path}"),
        (grant(app={"tailscale.com/cap/ingress": [{}]}), "capability name must not be in the tailscale.com domain"),
        (grant(app={"x.io/y": ["text"]}), "capability values must be objects"),
        (grant(dst=["autogroup:internet"], app={"x.io/y": [{}]}), "cannot use app grants with autogroup:internet"),
        (grant(via=["a@x.io"]), "via can only be a tag"),
        (grant(via=["tag:b"]), 'tag "tag:b" not found'),
        (grant(src=["user:*@else.io"]), "else.io is not associated with this Tailnet"),
        ({"groups": {"group:a": ["group:b"]}}, 'groups["group:a"]: "group:b": group members cannot be recursive'),
        ({"groups": {"team": []}}, 'groups["team"]: group names must start with "group:"'),
        ({"groups": {"group:a@x.io": []}}, "cannot be defined here"),
        ({"groups": {"group:a": ["ann"]}}, '"ann": group members must be users'),
        ({"hosts": {"h": "10.0.0.1/8"}}, '"10.0.0.1/8": invalid address (host bits are set)'),
        ({"hosts": {"a@b": "10.0.0.1"}}, "invalid host name"),
        ({"tagOwners": {"tag:1": []}}, "tagOwners[\"tag:1\"]: tag names must start with a letter, after 'tag:'"),
        ({"tagOwners": {"tag:a_b": []}}, "letters, digits and dashes"),
        ({"ipsets": {"ipset:a": ["add ipset:b"], "ipset:b": ["ipset:a"]}}, "ipsets cannot contain themselves"),
        ({"ipsets": {"ipset:a": ["add nowhere"]}}, '"nowhere": invalid address'),
        ({"postures": {"posture:a": ["node:os is macos"]}}, "is not of the form: attribute operator value"),
        ({"nodeAttrs": [{"target": ["%bogus%"]}]}, '"%bogus%": invalid address'),
        ({"nodeAttrs": [{"target": ["autogroup:self"]}]}, "is not valid in nodeAttrs target"),
        ({"nodeAttrs": [{"target": ["*"], "ipPool": ["100.100.100.0/25"]}]}, "network within reserved range"),
        ({"nodeAttrs": [{"target": ["*"], "ipPool": ["10.0.0.0/8"]}]}, "must be within 100.64.0.0/10"),
        ({"nodeAttrs": [{"target": ["*"], "attr": ["resolver:dns.example"]}]}, "'dns.example' is not a resolver"),
        ({"nodeAttrs": [{"target": ["*"], "attr": ["nextdns:a/b"]}]}, "names no profile of NextDNS"),
        ({"autoApprovers": {"routes": {"10.0.0.1/8": []}}}, '"10.0.0.1/8": invalid prefix'),
        ({"OneCGNATRoute": "sometimes"}, 'OneCGNATRoute "sometimes" is not valid'),
        ({"derpMap": {"regions": {"x": {}}}}, 'derpMap region "x": the number of a region is expected'),
        ({"derpMap": {"regions": {"900": {"regionID": 901}}}}, "regionID must be 900"),
        (ssh(action=""), "action must be specified"),
        (ssh(action="Accept"), '"Accept" is not a valid action'),
        (ssh(users=[]), "users must be specified"),
        (ssh(users=["*"]), 'user "*" is not valid'),
        (ssh(users=["localpart:*@else.io"]), "else.io is not associated with this Tailnet"),
        (ssh(src=["*"]), 'invalid src "*"'),
        (ssh(dst=["100.64.0.1"]), 'invalid dst "100.64.0.1"'),
        (ssh(dst=["b@x.io"]), 'invalid dst "b@x.io"'),
        (ssh(action="check", checkPeriod="abc"), 'time: invalid duration "abc"'),
        (ssh(action="check", checkPeriod="168h0m1s"), "checkPeriod 168h0m1s is above the max (168h)"),
        (ssh(action="check", checkPeriod="-1h"), "must be a positive duration"),
        (ssh(acceptEnv=[""]), "acceptEnv values cannot be empty"),
        (ssh(recorder=["a@x.io"]), "recorders can only be tags"),
    ],
)
def test_refusals(policy, message):
    with pytest.raises(PolicyError) as caught:
        read_document(json.dumps({**TAGS, **policy}), "x.io")
    assert message in caught.value.message
    assert "line 1, column " in caught.value.message


def test_everything_wrong_is_told_at_once_with_its_place():
    text = '{\n  "acls": [{"action": "accept", "src": ["tag:x"],\n    "dst": ["tag:y:1"]}],\n}'
    with pytest.raises(PolicyError) as caught:
        read_document(text)
    assert caught.value.message.splitlines() == [
        'line 2, column 41: src=tag not found: "tag:x"',
        'line 3, column 13: dst="tag:y": tag not found: "tag:y"',
    ]


def test_a_text_that_is_no_hujson_is_refused_with_its_place():
    with pytest.raises(PolicyError, match=r"^line 2, column 2: invalid character '\]'"):
        read_document('{"acls": [\n]]}')


def test_names_of_fields_match_in_any_case():
    assert read_document('{"ACLs": [], "randomizeclientport": true}').randomize_client_port


def test_legacy_spellings():
    document = read_document('{"acls": [{"action": "accept", "users": ["a@x.io"], "ports": ["100.64.0.1:22"]}]}')
    assert [str(one) for one in document.rules[0].src] == ["a@x.io"]
    assert str(document.rules[0].dst[0]) == "100.64.0.1"


@pytest.mark.parametrize("dst", ["[::1]:22", "::1:22", "fd00::/64:*"])
def test_ipv6_destinations(dst):
    document = read_document(json.dumps(acl(["*"], [dst])))
    assert str(document.rules[0].dst[0]) in {"::1", "fd00::/64"}


@pytest.mark.parametrize(
    ("policy", "warning"),
    [
        (acl([], ["100.64.0.1:22"]), "src is empty: the rule can never match"),
        ({**acl(["group:e"], ["100.64.0.1:22"]), "groups": {"group:e": []}}, "group:e, with nobody in it"),
        (ssh(dst=[]), "dst is empty: the rule can never match"),
    ],
)
def test_rules_that_never_match_are_warned_of(policy, warning):
    document = read_document(json.dumps({**TAGS, **policy}))
    assert warning in str(document.warnings[0])


def test_an_empty_text_is_the_policy_that_allows_everything():
    assert read_document(" \n").open_to_all
    assert not read_document('{"acls": []}').open_to_all


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"ipsets": {f"ipset:a{number}": [f"ipset:a{number + 1}"] for number in range(500)}}, "nested deeper than 50"),
        ({"ipsets": {"ipset:a": ["10.0.0.1"] * 5000}}, "more than 4000 operations"),
        ({f"field{number}": 1 for number in range(5000)}, "and 980 more"),
        (ssh(checkPeriod="1h" * 10_000), 'time: invalid duration "1h1h'),
    ],
)
def test_hostile_documents_are_refused_within_bounds(policy, message):
    with pytest.raises(PolicyError) as caught:
        read_document(json.dumps({**TAGS, **policy}))
    assert message in caught.value.message
    assert len(caught.value.message) < 20_000
