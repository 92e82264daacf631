"""What nodes are sent, in words."""

import click
import pytest

from hatsize.cli.policy_summary import difference, summary

TAILNET = ["100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48"]
ANY = {"First": 0, "Last": 65535}


def rule(port, **more):
    dst = {"IP": "100.64.0.2", "Ports": {"First": port, "Last": port}}
    return {"SrcIPs": ["100.64.0.1"], "DstPorts": [dst], **more}


def tailnet(*rules, caps=("ssh",), **more):
    """What a `laptop` and a `web` server with these rules are sent."""
    return {
        "laptop": {"peers": {"web": {"allowed_ips": ["100.64.0.2/32"]}}, "cap_map": {"ssh": None}},
        "web": {
            "peers": {"laptop": {"allowed_ips": ["100.64.0.1/32"]}},
            "packet_filter_rules": list(rules),
            "cap_map": dict.fromkeys(caps),
            **more,
        },
    }


def lines_of(nodes, name="web"):
    """What is said of a node in a summary."""
    lines = [click.unstyle(line) for line in summary(nodes)]
    of_node = lines[lines.index(name) + 1 :]
    return [line.strip() for line in of_node[: next(i for i, line in enumerate(of_node) if line[0] != " ")]]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rule(22), "lets in 22 from laptop"),
        (rule(22, IPProto=[6]), "lets in tcp 22 from laptop"),
        (rule(53, IPProto=[6, 17]), "lets in tcp/udp 53 from laptop"),
        (rule(22, IPProto=[99]), "lets in protocol 99 22 from laptop"),
        (rule(22, SrcIPs=["*"]), "lets in 22 from anywhere"),
        (rule(22, SrcIPs=["0.0.0.0/0", "::/0"]), "lets in 22 from anywhere"),
        (rule(22, SrcIPs=[*TAILNET, "10.0.0.0/8"]), "lets in 22 from the tailnet, 10.0.0.0/8"),
        (rule(22, DstPorts=[{"IP": "10.0.0.0/8", "Ports": ANY}]), "lets in anything from laptop to 10.0.0.0/8"),
        (
            rule(22, DstPorts=[{"IP": "100.64.0.2", "Ports": {"First": 1, "Last": 9}}]),
            "lets in 1-9 from laptop",
        ),
        (
            {
                "SrcIPs": ["100.64.0.1"],
                "CapGrant": [{"Dsts": ["100.64.0.2/32"], "CapMap": {"example.com/cap/x": None}}],
            },
            "grants example.com/cap/x to laptop",
        ),
    ],
)
def test_a_rule_in_words(one, words):
    assert words in lines_of(tailnet(one))


def test_routes_sessions_and_capabilities_in_words():
    action = {"holdAndDelegate": "https://unused"}
    ssh = {"principals": [{"nodeIP": "100.64.0.1"}], "sshUsers": {"root": "root", "*": "="}, "action": action}
    nodes = tailnet(caps=("ssh", "funnel"), ssh_rules=[ssh])
    nodes["web"]["peers"]["laptop"]["allowed_ips"].append("10.0.0.0/8")
    nodes["web"]["cap_map"]["limit"] = [3]
    assert lines_of(nodes) == [
        "sees laptop, with 10.0.0.0/8",
        "lets laptop open SSH sessions as root, others after a check",
        "has funnel",
        "has limit = [3]",
    ]


def test_what_all_nodes_are_sent_is_said_once():
    assert [click.unstyle(line) for line in summary(tailnet())][-2:] == ["every node", "    has ssh"]
    assert summary({}) == []


def test_a_difference_is_what_comes_and_what_goes_in_colour():
    assert difference(tailnet(rule(22)), tailnet(rule(443))) == [
        click.style("web", bold=True),
        click.style("  - lets in 22 from laptop", fg="red"),
        click.style("  + lets in 443 from laptop", fg="green"),
        "1 of 2 nodes would be sent something else.",
    ]
    assert difference(tailnet(), tailnet()) == ["0 of 2 nodes would be sent something else."]


def test_a_name_cannot_move_the_cursor():
    assert not any("\x1b[2J" in line for line in summary({"a\x1b[2Jb": {"cap_map": {"c\x1b[2Jd": None}}}))
