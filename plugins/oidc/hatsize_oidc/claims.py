"""Reading claims: nested ones, namespaced ones, and lists that are sometimes not lists."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

MOST_GROUPS = 1000
"""More groups of one person than this are not read."""
LONGEST_GROUP = 200


def pick(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path such as `realm_access.roles`; None where there is none.

    Keys may hold dots themselves (`https://example.com/groups`): at each step the longest key that is there is taken.
    """
    if path in claims:
        return claims[path]
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        inner = claims.get(".".join(parts[:length]))
        if isinstance(inner, Mapping):
            found = pick(inner, ".".join(parts[length:]))
            if found is not None:
                return found
    return None


def groups_at(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The groups a claim names: the texts of a list, one text, or the keys of an object; in their order, each once."""
    found = pick(claims, path) if path else None
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, Mapping | Sequence):
        return ()
    texts = (one for one in list(found)[:MOST_GROUPS] if isinstance(one, str) and 0 < len(one) <= LONGEST_GROUP)
    return tuple(dict.fromkeys(texts))


def policy_group(group: str, domain: str) -> str:
    """How policies name a provider's group: `group:name@domain`, another name for each group.

    A path such as Keycloak's `/ops/admins` loses its first slash, and `ops@domain`, as Kanidm writes it, the domain
    when it is this one: a provider does not name the groups of another. What has a meaning in policies is
    percent-encoded.
    """
    name = group.removeprefix("/").removesuffix(f"@{domain}")
    plain = "".join(quote(letter, safe="") if _has_meaning(letter) else letter for letter in name)
    return f"group:{plain}@{domain}"


def text_at(claims: Mapping[str, Any], path: str, limit: int = 250) -> str:
    """A claim that is a text, without what cannot be shown; empty where it is none, or too long to be one."""
    found = pick(claims, path)
    if not isinstance(found, str) or len(found) > limit:
        return ""
    return "".join(letter for letter in found if letter.isprintable()).strip()


def _has_meaning(letter: str) -> bool:
    return letter in '%@:*,"' or letter.isspace() or not letter.isprintable()
