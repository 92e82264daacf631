"""`policy preview --topology` over captured cases, as programs call it. See the README beside the captures."""

import gzip
import json
import os
from pathlib import Path

import pytest

GOLDEN = Path(os.environ.get("HATSIZE_GOLDEN", Path(__file__).parents[3] / "shared" / "policy-golden"))
SUITES = ("acl", "grant", "nodeattrs", "policytest", "routes", "ssh", "sshtest")
EVERY = 5
CONTRADICTS = {"ssh-e1"}
"""Its captured message names the domain as it was before the capture was made anonymous."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"the captured policy cases are not at {GOLDEN}"),
]


def sample():
    for suite in SUITES if GOLDEN.is_dir() else ():
        with gzip.open(GOLDEN / f"{suite}.jsonl.gz", "rt") as lines:
            for line in list(lines)[::EVERY]:
                case = json.loads(line)
                yield pytest.param(suite, case, id=case["id"])


def rules(found):
    """Packet filter rules as a set, with what has no order sorted, null and empty alike."""
    return {
        json.dumps(
            {
                "SrcIPs": sorted(rule["SrcIPs"] or ()),
                "DstPorts": sorted(json.dumps(dst, sort_keys=True) for dst in rule.get("DstPorts") or ()),
                "IPProto": sorted(rule.get("IPProto") or ()),
                "CapGrant": sorted(json.dumps(granted(grant), sort_keys=True) for grant in rule.get("CapGrant") or ()),
            }
        )
        for rule in found or ()
    }


def granted(grant):
    return [sorted(grant["Dsts"]), {name: values or None for name, values in (grant.get("CapMap") or {}).items()}]


def ssh(found):
    return [
        {name: value for name, value in rule.items() if value}
        | {"principals": sorted({json.dumps(one, sort_keys=True) for one in rule["principals"]})}
        for rule in found or ()
    ]


@pytest.mark.parametrize(("suite", "case"), list(sample()))
def test_prints_what_the_service_sent_or_said(hatsize, tmp_path, suite, case):
    policy, topology = tmp_path / "policy.hujson", tmp_path / "topology.json"
    written = case["policy"]
    policy.write_text(written if isinstance(written, str) else json.dumps(written))
    beside = {name: case[name] for name in ("tailnet", "tailnet_config")}
    topology.write_text(json.dumps({**case["topology"], **beside}))
    result = hatsize("policy", "preview", "-f", str(policy), "--topology", str(topology), "-o", "json")
    if case["status"] != 200:
        assert result.code == 1
        assert case["id"] in CONTRADICTS or case["response"]["message"] in result.json["message"]
        return
    assert result.code == 0, result.out
    for name, node in case["nodes"].items():
        sent = result.json[name]
        assert rules(sent["packet_filter_rules"]) == rules(node["packet_filter_rules"]), name
        assert ssh(sent["ssh_rules"]) == ssh(node["ssh_rules"]), name
        if suite == "nodeattrs":
            assert sent["cap_map"] == node["self"]["cap_map"], name
        if suite == "routes" or case["id"].startswith("via-grant"):
            assert set(sent["peers"]) == set(node["peers"]), name
            for peer, shown in node["peers"].items():
                assert sent["peers"][peer]["allowed_ips"] == shown["allowed_ips"], (name, peer)
                assert sent["peers"][peer]["primary_routes"] == shown["primary_routes"], (name, peer)
