"""What is known of the other replicas: who they are, and which nodes are connected to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from hatsize.hooks.replicas import Relay


class Told(msgspec.Struct, frozen=True):
    """What a replica tells of itself. A field that an older or newer release does not know is left out."""

    seq: int = 0
    sessions: int = 0
    primaries: dict[str, int] = {}
    silent: list[int] = []
    relay: Relay | None = None
    links: list[str] = []
    duties: list[str] = []
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A replica as the database has it."""

    epoch: int
    id: str
    name: str
    version: str
    left: float
    """Seconds until its lease is over, by the database's clock; negative when it is."""
    draining: bool
    serial: int
    told: Told = field(default_factory=Told)


@dataclass(slots=True)
class _Known:
    member: Member
    nodes: set[int] = field(default_factory=set)
    serial: int = -1
    """The presence that `nodes` is, -1 for none."""


class Others:
    """The replicas besides this one. What the database says counts, and only what it says: while it cannot be asked,
    everybody stays where they were last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[int, _Known] = {}
        self._patient_until = float("-inf")

    def be_patient(self, seconds: float) -> None:
        """Take nobody for dead for a while: they may have been cut off as we were, and must have time to come back."""
        self._patient_until = self._clock() + seconds

    def take(self, members: Iterable[Member]) -> list[int]:
        """What the database says of all others; the epochs whose presence has to be read."""
        found = {member.epoch: member for member in members}
        patient = self._clock() < self._patient_until
        for epoch, known in list(self._known.items()):
            now = found.get(epoch)
            if now is not None and now.left > 0:
                known.member = now
            elif not patient:
                del self._known[epoch]
        for epoch, member in found.items():
            if member.left > 0 and epoch not in self._known:
                self._known[epoch] = _Known(member)
        return [epoch for epoch, known in self._known.items() if epoch in found and known.serial < found[epoch].serial]

    def read(self, epoch: int, serial: int, nodes: Iterable[int]) -> None:
        """All nodes that are connected to a replica, by its presence of that serial number."""
        known = self._known.get(epoch)
        if known is not None and serial >= known.serial:
            known.nodes, known.serial = set(nodes), serial

    def change(self, epoch: int, serial: int, came: Iterable[int], left: Iterable[int]) -> bool:
        """What a replica tells of its nodes; False when something before it was missed."""
        known = self._known.get(epoch)
        if known is None or serial > known.serial + 1:
            return False
        if serial == known.serial + 1:
            known.nodes.update(came)
            known.nodes.difference_update(left)
            known.serial = serial
        return True

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._known)

    @property
    def members(self) -> list[Member]:
        """Those that count, the one that joined first at the beginning."""
        return [self._known[epoch].member for epoch in sorted(self._known)]

    @property
    def nodes(self) -> frozenset[int]:
        """Who is connected to any of them."""
        return frozenset().union(*(known.nodes for known in self._known.values()))

    @property
    def silent(self) -> frozenset[int]:
        """The routers that did not answer them."""
        return frozenset(node for member in self.members for node in member.told.silent)

    def of(self, node_id: int) -> int | None:
        """The epoch of the replica that a node has come to last, of those it is connected to."""
        return max((epoch for epoch, known in self._known.items() if node_id in known.nodes), default=None)

    def primaries(self, own_epoch: int) -> Mapping[str, int] | None:
        """Who serves each route by the word of the senior replica; None when that is this one."""
        senior = next((member for member in self.members if not member.told.leaving), None)
        return None if senior is None or senior.epoch > own_epoch else senior.told.primaries
