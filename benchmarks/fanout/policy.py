"""Policies such as a company has after some years: 20 people, 50 groups, 30 tags, 200 rules."""

from typing import Any

USERS = [f"user-{number}" for number in range(20)]
GROUPS = {
    f"group:team-{number}": [f"{USERS[(number + step) % 20]}@" for step in range(5)]
    for number in range(50)
}  # fmt: skip
TAGS = [f"tag:role-{number}" for number in range(30)]


def _rule(number: int) -> dict[str, Any]:
    """By turns: a team may reach a service, services each other, and everybody a web page."""
    tag = TAGS[number * 7 % 30]
    match number % 3:
        case 0:
            return {"action": "accept", "src": [f"group:team-{number % 50}"], "dst": [f"{tag}:{1000 + number}"]}
        case 1:
            other = TAGS[number * 3 % 30]
            return {"action": "accept", "src": [TAGS[number % 30]], "dst": [f"{tag}:443", f"{other}:22"]}
        case _:
            return {"action": "accept", "src": ["autogroup:member"], "dst": [f"{TAGS[number * 5 % 30]}:80"]}


REALISTIC: dict[str, Any] = {
    "groups": GROUPS,
    "tagOwners": {tag: [f"{USERS[0]}@"] for tag in TAGS},
    "acls": [_rule(number) for number in range(200)],
}
FULL: dict[str, Any] = {
    **REALISTIC,
    "acls": [*REALISTIC["acls"][:190], {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]}],
    "grants": [
        {"src": [f"group:team-{number}"], "dst": [f"10.{number}.0.0/16"], "ip": ["*"], "via": [TAGS[number]]}
        for number in range(9)
    ],
}
"""The same with everybody's own devices, and teams that reach networks by the routers with a tag."""
POLICIES: dict[str, dict[str, Any] | None] = {"open": None, "realistic": REALISTIC, "full": FULL}
"""By name; open is what a new installation has: everybody sees everybody."""
