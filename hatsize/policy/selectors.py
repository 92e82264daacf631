"""Who or what a rule speaks of, and where each kind of selector may stand.

The matrix below is the whole of that grammar: `ALLOWED[place]` names the kinds that may stand there, and for
autogroups which of them.
"""

import re
from dataclasses import dataclass
from enum import Enum

from hatsize.policy.addresses import span
from hatsize.tailnet.model import Role


class Kind(Enum):
    ALL = "*"
    USER = "user"
    DOMAIN = "user:*@domain"
    GROUP = "group"
    TAG = "tag"
    AUTOGROUP = "autogroup"
    HOST = "host"
    ADDRESS = "address"
    IPSET = "ipset"
    SERVICE = "service"


class Place(Enum):
    """Where a selector stands; the value is how messages call it."""

    SRC = "src"
    DST = "dst"
    SSH_SRC = "ssh src"
    SSH_DST = "ssh dst"
    TARGET = "nodeAttrs target"
    TAG_OWNER = "tagOwners"
    APPROVER = "autoApprovers"
    TEST_SRC = "tests src"
    TEST_DST = "tests dst"
    SSH_TEST_SRC = "sshTests src"
    SSH_TEST_DST = "sshTests dst"


@dataclass(frozen=True)
class Selector:
    """`name` is the selector as written, without surrounding space; of a DOMAIN only the domain."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"user:*@{self.name}" if self.kind is Kind.DOMAIN else self.name


EVERYTHING = Selector(Kind.ALL, "*")
SELF = Selector(Kind.AUTOGROUP, "autogroup:self")
THE_INTERNET = Selector(Kind.AUTOGROUP, "autogroup:internet")
DANGER_ALL = Selector(Kind.AUTOGROUP, "autogroup:danger-all")
MEMBER = Selector(Kind.AUTOGROUP, "autogroup:member")
TAGGED = Selector(Kind.AUTOGROUP, "autogroup:tagged")
SHARED = Selector(Kind.AUTOGROUP, "autogroup:shared")

ROLES = {f"autogroup:{role.value}": role for role in Role if role is not Role.MEMBER}
_PEOPLE = frozenset({"autogroup:member", *ROLES})
_DEVICES = _PEOPLE | {"autogroup:tagged"}
AUTOGROUPS = _DEVICES | {
    "autogroup:self", "autogroup:internet", "autogroup:danger-all", "autogroup:shared", "autogroup:nonroot",
}  # fmt: skip

_WHO = frozenset({Kind.USER, Kind.DOMAIN, Kind.GROUP, Kind.TAG})
_WHERE = frozenset({Kind.HOST, Kind.ADDRESS, Kind.IPSET})
ALLOWED: dict[Place, tuple[frozenset[Kind], frozenset[str]]] = {
    Place.SRC: (_WHO | _WHERE | {Kind.ALL}, _DEVICES | {"autogroup:shared", "autogroup:danger-all"}),
    Place.DST: (_WHO | _WHERE | {Kind.ALL, Kind.SERVICE}, _DEVICES | {"autogroup:self", "autogroup:internet"}),
    Place.SSH_SRC: (_WHO, _DEVICES),
    Place.SSH_DST: (
        frozenset({Kind.USER, Kind.TAG}),
        frozenset({"autogroup:self", "autogroup:tagged", "autogroup:member"}),
    ),
    Place.TARGET: (_WHO | {Kind.ALL}, _DEVICES),
    Place.TAG_OWNER: (_WHO, _PEOPLE | {"autogroup:tagged"}),
    Place.APPROVER: (_WHO, _DEVICES),
    Place.TEST_SRC: (_WHO | {Kind.HOST, Kind.ADDRESS}, _DEVICES),
    Place.TEST_DST: (_WHO | {Kind.HOST, Kind.ADDRESS, Kind.SERVICE, Kind.ALL, Kind.IPSET}, AUTOGROUPS),
    Place.SSH_TEST_SRC: (_WHO | {Kind.HOST, Kind.ADDRESS}, _DEVICES),
    Place.SSH_TEST_DST: (
        frozenset({Kind.USER, Kind.TAG, Kind.HOST, Kind.ADDRESS}),
        frozenset({"autogroup:self", "autogroup:tagged", "autogroup:member"}),
    ),
}

SELF_SOURCES = (frozenset({Kind.USER, Kind.DOMAIN, Kind.GROUP}), _PEOPLE)
"""Who may be the source of a rule to `autogroup:self`; in `acls` also `*`."""

_PREFIXES = {
    "group:": Kind.GROUP,
    "tag:": Kind.TAG,
    "autogroup:": Kind.AUTOGROUP,
    "ipset:": Kind.IPSET,
    "svc:": Kind.SERVICE,
}
_LEGACY = {"autogroup:members": "autogroup:member"}
TAG_NAME = re.compile(r"tag:[A-Za-z][A-Za-z0-9-]*")
SERVICE_NAME = re.compile(r"svc:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def read_selector(text: str) -> Selector:
    """The selector a text stands for; what is nothing else is the name of a host."""
    name = text.strip()
    if name == "*":
        return EVERYTHING
    for prefix, kind in _PREFIXES.items():
        if name.startswith(prefix):
            return Selector(kind, _LEGACY.get(name, name))
    if name.startswith("user:*@"):
        return Selector(Kind.DOMAIN, name.removeprefix("user:*@"))
    if "@" in name:
        return Selector(Kind.USER, name)
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    return Selector(Kind.ADDRESS, bare) if is_address(bare) else Selector(Kind.HOST, name)


def is_address(text: str) -> bool:
    """Whether a text is an IP address or a prefix with no host bits set."""
    try:
        span(text)
    except ValueError:
        return False
    return "-" not in text


def permitted(selector: Selector, place: Place) -> bool:
    """Whether a selector may stand at a place."""
    kinds, autogroups = ALLOWED[place]
    return selector.name in autogroups if selector.kind is Kind.AUTOGROUP else selector.kind in kinds


def misplaced(selector: Selector, place: Place) -> str:
    """What is said about a selector that may not stand where it does."""
    name = str(selector)
    if selector.kind is Kind.AUTOGROUP and name not in AUTOGROUPS:
        return f'invalid autogroup "{name}"'
    match place:
        case Place.SRC:
            return f'"{name}" not valid on the src side of a rule'
        case Place.DST if selector == DANGER_ALL:
            return "cannot use autogroup:danger-all as a dst"
        case Place.DST:
            return f'"{name}" not valid on the dst side of a rule'
        case Place.SSH_SRC:
            return f'invalid src "{name}"'
        case Place.SSH_DST:
            return f'invalid dst "{name}"'
        case Place.SSH_TEST_DST:
            return f'SSH tests dst contains disallowed element "{name}"'
        case _:
            return f'"{name}" is not valid in {place.value}'
