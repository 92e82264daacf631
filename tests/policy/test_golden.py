"""What the hosted service was captured doing, case by case. See the README beside the captures for what counts."""

import functools
import gzip
import json
import os
from pathlib import Path

import pytest

from hatsize.policy import PolicyError, from_golden
from hatsize.policy.preview import load, preview, shown
from hatsize.policy.whois import capabilities

GOLDEN = Path(os.environ.get("HATSIZE_GOLDEN", Path(__file__).parents[3] / "shared" / "policy-golden"))
SUITES = ("acl", "grant", "nodeattrs", "policytest", "routes", "ssh", "sshtest")
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"the captured policy cases are not at {GOLDEN}")

CONTRADICTIONS = {
    # The captured text names the domain as it was before the capture was made anonymous: PASSKEY for EXAMPLE.COM.
    "ssh-e1": "message",
}

ELECTED_OTHERWISE = {
    # Two routers alike but for their names, of which the capture shows one elected: that is history, not policy.
    "via-grant-v37",
    "via-grant-v47",
}


@functools.cache
def cases(suite):
    with gzip.open(GOLDEN / f"{suite}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def text_of(case):
    policy = case["policy"]
    return policy if isinstance(policy, str) else json.dumps(policy)


def topology_of(case):
    """The case's topology; who serves a route that several nodes have is an election that the capture only shows."""
    data = json.loads(json.dumps(case))
    for name, node in (case["nodes"] or {}).items():
        data["topology"]["nodes"][name]["primary_routes"] = node["self"]["primary_routes"]
    return from_golden(data)


def canonical_filter(rules):
    """Rules as a sorted list of texts, with what has no order sorted, and null and empty alike."""
    return sorted(
        json.dumps(
            {
                "src": sorted(rule["SrcIPs"] or ()),
                "dst": sorted(json.dumps(dst, sort_keys=True) for dst in rule.get("DstPorts") or ()),
                "proto": sorted(rule.get("IPProto") or ()),
                "grants": sorted(
                    json.dumps([sorted(grant["Dsts"]), _emptied(grant.get("CapMap"))], sort_keys=True)
                    for grant in rule.get("CapGrant") or ()
                ),
            }
        )
        for rule in rules or ()
    )


def canonical_ssh(rules):
    return [
        {
            **{name: value for name, value in rule.items() if value},
            "principals": sorted({json.dumps(one) for one in rule["principals"]}),
        }
        for rule in rules or ()
    ]


def _emptied(capabilities_map):
    return {name: values or None for name, values in (capabilities_map or {}).items()}


@functools.cache
def compiled_case(suite, case_id):
    case = next(one for one in cases(suite) if one["id"] == case_id)
    topology = topology_of(case)
    return case, load(text_of(case), topology), {node.given_name: node.id for node in topology.nodes.values()}


if GOLDEN.is_dir():
    REFUSED = [pytest.param(case, id=case["id"]) for suite in SUITES for case in cases(suite) if case["status"] != 200]
    SAVED = [
        pytest.param(suite, case["id"], id=case["id"])
        for suite in SUITES
        for case in cases(suite)
        if case["status"] == 200
    ]
else:
    REFUSED, SAVED = [], []


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_services_message(case):
    with pytest.raises(PolicyError) as caught:
        preview(text_of(case), topology_of(case))
    if CONTRADICTIONS.get(case["id"]) != "message":
        assert case["response"]["message"] in caught.value.message


@pytest.mark.parametrize(("suite", "case_id"), SAVED)
def test_sends_each_node_what_the_service_sent(suite, case_id):
    case, compiled, _ = compiled_case(suite, case_id)
    sent = shown(compiled)
    for name, node in case["nodes"].items():
        assert canonical_filter(sent[name]["packet_filter_rules"]) == canonical_filter(node["packet_filter_rules"]), (
            name
        )
        assert canonical_ssh(sent[name]["ssh_rules"]) == canonical_ssh(node["ssh_rules"]), name


@pytest.mark.parametrize(
    ("suite", "case_id"), [p for p in SAVED if p.id.startswith("via-grant") or p.values[0] == "routes"]
)
def test_shows_the_peers_and_routes_the_service_showed(suite, case_id):
    case, compiled, ids = compiled_case(suite, case_id)
    for name, node in case["nodes"].items():
        seen = {peer for peer in ids if compiled.visible(ids[name]) >> compiled.index_of(ids[peer]) & 1}
        assert seen == set(node["peers"]), name
        for peer, entry in node["peers"].items():
            assert list(compiled.allowed_ips(ids[name], ids[peer])) == entry["allowed_ips"], (name, peer)
            assert list(compiled.primary_routes(ids[name], ids[peer])) == entry["primary_routes"], (name, peer)
        assert list(compiled.allowed_ips(ids[name], ids[name])) == node["self"]["allowed_ips"]
        assert list(compiled.primary_routes(ids[name], ids[name])) == node["self"]["primary_routes"]


@pytest.mark.parametrize(
    ("suite", "case_id"), [p for p in SAVED if p.id.startswith("via-grant") or p.values[0] == "routes"]
)
def test_preview_shows_the_same_peers_without_being_told_the_elections(suite, case_id):
    case, _, _ = compiled_case(suite, case_id)
    sent = preview(text_of(case), from_golden(case))
    for name, node in case["nodes"].items():
        assert sent[name]["peers"].keys() == node["peers"].keys()
        for peer, entry in node["peers"].items() if case_id not in ELECTED_OTHERWISE else ():
            assert sent[name]["peers"][peer]["allowed_ips"] == entry["allowed_ips"], (name, peer)
            assert sent[name]["peers"][peer]["primary_routes"] == entry["primary_routes"], (name, peer)


@pytest.mark.parametrize(("suite", "case_id"), [p for p in SAVED if p.values[0] == "nodeattrs"])
def test_gives_each_node_the_capabilities_the_service_gave(suite, case_id):
    case, compiled, ids = compiled_case(suite, case_id)
    for name, node in case["nodes"].items():
        got = {key: list(values) if values else None for key, values in compiled.self_cap_map(ids[name]).items()}
        assert got == node["self"]["cap_map"], name


@pytest.mark.parametrize(("suite", "case_id"), [p for p in SAVED if p.values[0] == "grant"])
def test_peers_resolve_to_the_capabilities_the_service_resolved(suite, case_id):
    case, compiled, ids = compiled_case(suite, case_id)
    facts = compiled.population.facts
    for name, node in case["nodes"].items():
        rules = compiled.filter_rules(ids[name])
        for peer, expected in (node.get("whois_cap_map") or {}).items():
            got = capabilities(rules, facts[ids[peer]].addresses, facts[ids[name]].addresses)
            assert _emptied(got) == _emptied(expected), (name, peer)
