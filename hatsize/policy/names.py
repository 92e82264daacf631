"""The names a document defines, and the reading of selectors against them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hatsize.policy.reader import Fields, Reader, Text
from hatsize.policy.selectors import SERVICE_NAME, Kind, Place, Selector, misplaced, permitted, read_selector

ALL_ADDRESSES = frozenset({"0.0.0.0/0", "::/0"})


@dataclass
class Names:
    """What is defined; `domain` is the tailnet's own, empty where any domain will do."""

    reader: Reader
    domain: str = ""
    groups: set[str] = field(default_factory=set)
    empty_groups: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    ipsets: set[str] = field(default_factory=set)
    postures: set[str] = field(default_factory=set)

    def selectors(self, texts: Iterable[Text], place: Place) -> tuple[Selector, ...]:
        """The valid ones of the selectors; remarks on the others."""
        found = [self.selector(text, place) for text in texts]
        return tuple(selector for selector in found if selector)

    def selector(self, text: Text, place: Place) -> Selector | None:
        return self.check(text.at, text, place)

    def check(self, at: int, text: str, place: Place) -> Selector | None:
        """The selector, if it may stand at the place and what it names exists."""
        selector = read_selector(text)
        fault = self._missing(selector) if permitted(selector, place) or selector.kind is Kind.HOST else ""
        if fault:
            self.reader.refuse(at, self._where(fault, selector, place))
        elif not permitted(selector, place):
            self.reader.refuse(at, misplaced(selector, place))
        elif place is Place.DST and selector.name in ALL_ADDRESSES:
            self.reader.refuse(at, f'dst "{selector}": to allow all IP addresses, use "*" or "autogroup:internet"')
        else:
            return selector
        return None

    def _missing(self, selector: Selector) -> str:
        name = selector.name
        match selector.kind:
            case Kind.TAG if name not in self.tags:
                return f'tag not found: "{name}"'
            case Kind.GROUP if name not in self.groups and "@" not in name:
                return f'group not found: "{name}"'
            case Kind.IPSET if name not in self.ipsets:
                return f'ipset not found: "{name}"'
            case Kind.HOST if name not in self.hosts:
                return f'"{name}": invalid address'
            case Kind.SERVICE if not SERVICE_NAME.fullmatch(name):
                return f'"{name}": invalid service name'
            case Kind.DOMAIN:
                return self.foreign(name)
            case _:
                return ""

    def foreign(self, domain: str) -> str:
        """What is said about a domain that is not the tailnet's; empty for its own."""
        if not self.domain or domain == self.domain:
            return ""
        return f"{domain} is not associated with this Tailnet and cannot be used in user:*@<domain> expressions"

    def _where(self, fault: str, selector: Selector, place: Place) -> str:
        if selector.kind is Kind.DOMAIN:
            return fault
        match place:
            case Place.SRC:
                return f"src={fault}"
            case Place.DST:
                return f'dst="{selector}": {fault}'
            case Place.SSH_SRC if selector.kind is Kind.HOST:
                return misplaced(selector, place)
            case Place.SSH_DST if selector.kind is Kind.HOST:
                return misplaced(selector, place)
            case _:
                return fault

    def warn_if_idle(self, fields: Fields, **sides: Sequence[Selector]) -> None:
        """A warning for a rule that can never match, because one of its sides is nobody."""
        for name, selectors in sides.items():
            if not selectors:
                self.reader.warn(fields.at, f"{name} is empty: the rule can never match")
            elif all(one.name in self.empty_groups for one in selectors):
                groups = ", ".join(one.name for one in selectors)
                self.reader.warn(fields.at, f"{name} is only {groups}, with nobody in it: the rule can never match")

    def posture_names(self, texts: Iterable[Text]) -> tuple[str, ...]:
        """The names of postures; those that are not defined are refused."""
        found = []
        for text in texts:
            if text in self.postures:
                found.append(str(text))
            else:
                self.reader.refuse(text.at, f'posture not found: "{text}"')
        return tuple(found)
