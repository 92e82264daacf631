"""What a node makes of its packet filter: the capabilities a peer holds towards it, as `tailscale whois` shows them."""

from collections.abc import Iterable, Sequence
from typing import Any

from hatsize.policy.addresses import IPSet, number
from hatsize.wire.tailcfg import FilterRule


def capabilities(
    rules: Iterable[FilterRule], peer: Sequence[str], own: Sequence[str]
) -> dict[str, Sequence[Any] | None]:
    """The capabilities of a peer's addresses towards a node's own ones; values of equal names are joined."""
    places = [number(address) for address in peer]
    found: dict[str, Sequence[Any] | None] = {}
    for rule in rules:
        if not any(_holds(text, place) for text in rule.SrcIPs for place in places):
            continue
        for grant in rule.CapGrant:
            if any(_holds(prefix, number(address)) for prefix in grant.Dsts for address in own):
                for name, values in grant.CapMap.items():
                    joined = [*(found.get(name) or ()), *(values or ())]
                    found[name] = joined or None
    return found


def _holds(text: str, place: int) -> bool:
    return text == "*" or place in IPSet.of(text)
