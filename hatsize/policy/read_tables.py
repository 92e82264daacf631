"""The tables of a document that give names to things: groups, hosts, tags, ipsets and postures."""

import ipaddress

from hatsize.policy.addresses import INTERNET, IPSet
from hatsize.policy.names import Names
from hatsize.policy.postures import Posture, read_condition
from hatsize.policy.reader import Reader, Text
from hatsize.policy.selectors import TAG_NAME, Kind, Place, Selector, read_selector
from hatsize.wire.hujson_tree import Value

MAX_OPERATIONS = 4000
"""How many operations on ipsets a document may hold."""
MAX_NESTING = 50
"""How deep ipsets may contain others."""


def read_groups(reader: Reader, value: Value | None) -> dict[str, tuple[str, ...]]:
    """`{"group:x": [logins]}`; groups do not nest, and synced ones are not defined here."""
    groups = {}
    for name, members in reader.mapping(value, "groups"):
        if not name.startswith("group:") or len(name) == len("group:"):
            reader.refuse(name.at, f'groups["{name}"]: group names must start with "group:"')
        elif "@" in name:
            reader.refuse(name.at, f'groups["{name}"]: groups synced from an identity provider cannot be defined here')
        groups[str(name)] = tuple(
            member.strip() for member in reader.texts(members, f'groups["{name}"]') if _is_member(reader, name, member)
        )
    return groups


def _is_member(reader: Reader, group: Text, member: Text) -> bool:
    if member.strip().startswith("group:"):
        reader.refuse(member.at, f'groups["{group}"]: "{member}": group members cannot be recursive')
    elif "@" not in member:
        reader.refuse(
            member.at, f'groups["{group}"]: "{member}": group members must be users', "write name@ or an e-mail"
        )
    else:
        return True
    return False


def read_hosts(reader: Reader, value: Value | None) -> dict[str, str]:
    """`{"name": "address or prefix"}`."""
    hosts = {}
    for name, item in reader.mapping(value, "hosts"):
        text = reader.text(item, f'hosts["{name}"]')
        if read_selector(name).kind is not Kind.HOST or not name.strip():
            reader.refuse(name.at, f'hosts["{name}"]: invalid host name')
        if text is None:
            continue
        try:
            net = ipaddress.ip_network(text.strip())
        except ValueError as error:
            bits = "host bits" in str(error)
            reader.refuse(text.at, f'hosts["{name}"]: "{text}": invalid address', "host bits are set" if bits else "")
            continue
        hosts[str(name)] = str(net[0]) if "/" not in text else str(net)
    return hosts


def read_tag_owners(names: Names, value: Value | None) -> dict[str, tuple[Selector, ...]]:
    """`{"tag:x": [who may give it]}`; a tag may own others. Fills in which tags there are."""
    reader = names.reader
    owners = list(reader.mapping(value, "tagOwners"))
    for name, _ in owners:
        if not TAG_NAME.fullmatch(name):
            reader.refuse(name.at, f'tagOwners["{name}"]: {_tag_fault(name)}')
        names.tags.add(str(name))
    return {
        str(name): names.selectors(reader.texts(item, f'tagOwners["{name}"]'), Place.TAG_OWNER) for name, item in owners
    }


def _tag_fault(name: str) -> str:
    if not name.startswith("tag:"):
        return 'tag names must start with "tag:"'
    if not (name[4:5].isascii() and name[4:5].isalpha()):
        return "tag names must start with a letter, after 'tag:'"
    return "tag names can only contain letters, digits and dashes"


def read_postures(reader: Reader, value: Value | None) -> dict[str, Posture]:
    """`{"posture:x": [conditions]}`."""
    postures = {}
    for name, item in reader.mapping(value, "postures"):
        if not name.startswith("posture:"):
            reader.refuse(name.at, f'postures["{name}"]: posture names must start with "posture:"')
        conditions = [
            reader.attempt(text.at, read_condition, text, f'postures["{name}"]: ')
            for text in reader.texts(item, f'postures["{name}"]')
        ]
        postures[str(name)] = Posture(str(name), tuple(one for one in conditions if one))
    return postures


class IPSets:
    """`{"ipset:x": ["add …", "remove …"]}`, each operation on what the ones before it left."""

    def __init__(self, names: Names, value: Value | None, hosts: dict[str, str]) -> None:
        self.names, self.reader, self.hosts = names, names.reader, hosts
        self.operations = {
            name: self.reader.texts(item, f'ipsets["{name}"]') for name, item in self.reader.mapping(value, "ipsets")
        }
        self.done: dict[str, IPSet] = {}

    def read(self) -> dict[str, IPSet]:
        if sum(map(len, self.operations.values())) > MAX_OPERATIONS:
            self.reader.refuse(0, f"ipsets: more than {MAX_OPERATIONS} operations")
            return {}
        for name in self.operations:
            if not name.startswith("ipset:"):
                self.reader.refuse(name.at, f'ipsets["{name}"]: ipset names must start with "ipset:"')
            self._resolve(name, name.at, ())
        self.names.ipsets |= set(self.done)
        return self.done

    def _resolve(self, name: str, at: int, within: tuple[str, ...]) -> IPSet:
        if name in within or len(within) > MAX_NESTING:
            fault = "ipsets cannot contain themselves" if name in within else f"nested deeper than {MAX_NESTING}"
            self.reader.refuse(at, f'ipsets["{name}"]: {fault}')
            return IPSet()
        if name not in self.done:
            found = IPSet()
            for text in self.operations[Text(name)]:
                verb, _, rest = text.strip().partition(" ")
                operand = self._operand(name, text, rest if verb in {"add", "remove"} else text, (*within, name))
                found = found - operand if verb == "remove" else found | operand
            self.done[str(name)] = found
        return self.done[name]

    def _operand(self, name: str, text: Text, operand: str, within: tuple[str, ...]) -> IPSet:
        operand = operand.strip()
        if operand == "autogroup:internet":
            return INTERNET
        if operand in self.operations:
            return self._resolve(operand, text.at, within)
        operand = self.hosts.get(operand.removeprefix("host:"), operand)
        try:
            return IPSet.of(operand)
        except ValueError:
            self.reader.refuse(text.at, f'ipsets["{name}"]: "{operand}": invalid address')
            return IPSet()
