"""Scopes: what a credential may do over the HTTP API. The words are the hosted service's.

Each may be had whole, or to read only: `dns` includes `dns:read`, and `all` and `all:read` include every other one.
"""

from collections.abc import Iterable, Sequence

from hatsize.tailnet.errors import InvalidError

ALL = "all"
READ = ":read"
NAMES = (
    ALL,
    "auth_keys",
    "oauth_keys",
    "devices:core",
    "devices:routes",
    "devices:posture_attributes",
    "policy_file",
    "feature_settings",
    "networking_settings",
    "logs:network",
    "users",
    "dns",
)
SCOPES: tuple[str, ...] = tuple(form for name in NAMES for form in (name, name + READ))
"""Every scope there is, in the order in which they are listed."""


def grants(held: Iterable[str], needed: str) -> bool:
    """Whether scopes that are held include one that is needed."""
    reading = needed.endswith(READ)
    enough = {needed, ALL} | ({needed.removesuffix(READ), ALL + READ} if reading else set())
    return not enough.isdisjoint(held)


def checked_scopes(given: Sequence[str]) -> tuple[str, ...]:
    """The scopes as they are kept, in their order and each once; raises InvalidError for one there is not."""
    for scope in given:
        if scope not in SCOPES:
            raise InvalidError(
                f"{scope[:60]!r} is not a scope: there are {', '.join(NAMES)}, each with {READ} or without"
            )
    return tuple(scope for scope in SCOPES if scope in given)
