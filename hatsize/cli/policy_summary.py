"""What nodes are sent, in lines for people, and the difference between two policies."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

import click

Nodes = Mapping[str, Mapping[str, Any]]
"""By name what each node is sent: `packet_filter_rules`, `ssh_rules`, `peers`, `cap_map`."""

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
EVERYWHERE = {"0.0.0.0/0", "::/0"}
TAILNET = {"100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48"}
"""The addresses that `*` stands for as a source."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def summary(nodes: Nodes) -> list[str]:
    """All that each node is sent."""
    named, found = _names(nodes), []
    facts = {name: list(_facts(name, node, named)) for name, node in nodes.items()}
    common = set[str].intersection(*map(set, facts.values())) if facts else set()
    for name, lines in facts.items():
        found += [click.style(_plain(name), bold=True), *(f"    {line}" for line in lines if line not in common)]
    if common:
        found += [click.style("every node", bold=True), *sorted(f"    {line}" for line in common)]
    return found


def difference(former: Nodes, nodes: Nodes) -> list[str]:
    """What is other than under the former policy: `+` what comes, `-` what goes."""
    named = _names(former) | _names(nodes)
    found, changed = [], 0
    for name, node in nodes.items():
        before, after = list(_facts(name, former.get(name, {}), named)), list(_facts(name, node, named))
        lines = [click.style(f"  - {line}", fg="red") for line in _without(before, after)]
        lines += [click.style(f"  + {line}", fg="green") for line in _without(after, before)]
        if lines:
            changed += 1
            found += [click.style(_plain(name), bold=True), *lines]
    return [*found, f"{changed} of {len(nodes)} nodes would be sent something else."]


def _without(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [line for line in lines if line not in known]


def _facts(own: str, node: Mapping[str, Any], named: Mapping[str, str]) -> Iterator[str]:
    """What a node is sent, a line for each thing, the same for the same."""
    for name, peer in sorted(node.get("peers", {}).items()):
        routes = [route for route in peer["allowed_ips"] if route not in named]
        yield _plain(f"sees {name}" + (f", with {', '.join(routes)}" if routes else ""))
    yield from sorted(
        {_plain(line) for rule in node.get("packet_filter_rules", ()) for line in _rule(own, rule, named)}
    )
    yield from (_plain(_ssh(rule, named)) for rule in node.get("ssh_rules") or ())
    for name, values in node.get("cap_map", {}).items():
        yield _plain(f"has {name}" + (f" = {values}" if values else ""))


def _rule(own: str, rule: Mapping[str, Any], named: Mapping[str, str]) -> Iterator[str]:
    """What one packet filter rule lets in or grants."""
    sources = _who(rule.get("SrcIPs") or (), named)
    protocols = "/".join(PROTOCOLS.get(number, f"protocol {number}") for number in rule.get("IPProto") or ())
    opened: dict[str, list[str]] = {}
    for target in rule.get("DstPorts") or ():
        opened.setdefault(_ports(target["Ports"]), []).append(target["IP"])
    for ports, addresses in opened.items():
        what = " ".join(filter(None, (protocols, ports))) or "anything"
        targets = _who(addresses, named)
        yield f"lets in {what} from {sources}{f' to {targets}' if targets != own else ''}"
    for grant in rule.get("CapGrant") or ():
        for capability in grant.get("CapMap") or grant.get("Caps") or ():
            yield f"grants {capability} to {sources}"


def _ssh(rule: Mapping[str, Any], named: Mapping[str, str]) -> str:
    sources = _who([each.get("nodeIP") or "anybody" for each in rule.get("principals") or ()], named)
    accounts = ", ".join(name if name != "*" else "others" for name in rule.get("sshUsers") or ())
    held = " after a check" if (rule.get("action") or {}).get("holdAndDelegate") else ""
    return f"lets {sources} open SSH sessions as {accounts}{held}"


def _names(nodes: Nodes) -> dict[str, str]:
    """Whose each address is, by the address and by its prefix."""
    found = {}
    for node in nodes.values():
        for name, peer in node.get("peers", {}).items():
            for prefix in peer["allowed_ips"]:
                network = ip_network(prefix)
                if network.prefixlen == network.max_prefixlen:
                    found[prefix] = found[str(network.network_address)] = name
    return found


def _who(addresses: Sequence[str], named: Mapping[str, str]) -> str:
    """The nodes that addresses belong to, and the other addresses as they are."""
    if "*" in addresses or set(addresses) >= EVERYWHERE:
        return "anywhere"
    rest, whole = addresses, []
    if set(addresses) >= TAILNET:
        rest, whole = [address for address in addresses if address not in TAILNET], ["the tailnet"]
    return ", ".join([*whole, *dict.fromkeys(named.get(address, address) for address in rest)]) or "nobody"


def _ports(ports: Mapping[str, int]) -> str:
    first, last = ports["First"], ports["Last"]
    if (first, last) == (0, 65535):
        return ""
    return str(first) if first == last else f"{first}-{last}"


def _plain(text: str) -> str:
    """The text with nothing in it that moves a terminal's cursor."""
    return _CONTROLS.sub("·", text)
