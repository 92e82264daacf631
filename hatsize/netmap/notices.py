"""What clients are told besides the netmap: updates there are, messages to people, other ways to dial the server.

Clients of 1.84 and later show messages with a title and a button, older ones a line of text (protocol fact sheet, 5.3
and 5.8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatsize.netmap.pieces import Draft
from hatsize.tailnet.messages import Message
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import (
    ClientVersion,
    ControlDialPlan,
    ControlIPCandidate,
    DisplayMessage,
    DisplayMessageAction,
)

SINCE_MESSAGES = 117
"""From this capability version on, clients know DisplayMessages."""
DIAL_SECONDS = 10.0
"""How long a client tries one address."""
NEXT_AFTER = 1.0
"""Seconds after which it tries the next one besides."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What one client is told of these, or was."""

    client_version: ClientVersion | None = None
    addresses: Sequence[str] = ()
    messages: Mapping[str, Message] | None = None
    """By id; None rather than empty."""


NOTHING = Noticed()


@dataclass(frozen=True, slots=True)
class Notices:
    """The configured ones, the same for every client."""

    latest_version: str = ""
    """The client version that people should have; empty to say nothing of versions."""
    urgent_below: str = ""
    """Clients older than this are told that the update is urgent."""
    addresses: Sequence[str] = ()
    """IP addresses at which clients may dial the server, the best first."""

    def of(self, node: Node, messages: Mapping[str, Message]) -> Noticed:
        """What a node's client is told, of all messages those that concern it."""
        own = {key: message for key, message in messages.items() if message.concerns(node)}
        return Noticed(self._client_version(node), self.addresses, own or None)

    def _client_version(self, node: Node) -> ClientVersion | None:
        if not self.latest_version or not node.hostinfo.IPNVersion:
            return None
        has = version(node.hostinfo.IPNVersion)
        if has >= version(self.latest_version):
            return ClientVersion(RunningLatest=True)
        urgent = bool(self.urgent_below) and has < version(self.urgent_below)
        return ClientVersion(LatestVersion=self.latest_version, UrgentSecurityUpdate=urgent, Notify=True)


def add_difference(draft: Draft, now: Noticed, before: Noticed, cap_version: int) -> None:
    """Tell a client what it is to be told now, and was not before."""
    if now.client_version != before.client_version:
        draft.add("ClientVersion", tailcfg.encode(now.client_version or ClientVersion(RunningLatest=True)))
    if now.addresses != before.addresses:
        draft.add("ControlDialPlan", tailcfg.encode(dial_plan(now.addresses)))
    if now.messages != before.messages:
        _add_messages(draft, now.messages or {}, before.messages or {}, cap_version)


def dial_plan(addresses: Sequence[str]) -> ControlDialPlan:
    """How clients dial the server next time; without candidates, as its name resolves."""
    candidates = [
        ControlIPCandidate(
            IP=address,
            DialStartDelaySec=place * NEXT_AFTER,
            DialTimeoutSec=DIAL_SECONDS,
            Priority=len(addresses) - place,
        )
        for place, address in enumerate(addresses)
    ]
    return ControlDialPlan(Candidates=candidates)


def _add_messages(draft: Draft, own: Mapping[str, Message], before: Mapping[str, Message], cap_version: int) -> None:
    if cap_version < SINCE_MESSAGES:
        draft.add("Health", tailcfg.encode([f"{message.title}: {message.text}" for message in own.values()]))
        return
    changed: dict[str, DisplayMessage | None] = dict.fromkeys(before.keys() - own.keys())
    changed |= {key: _shown(message) for key, message in own.items() if before.get(key) != message}
    draft.add("DisplayMessages", tailcfg.encode(changed))


def _shown(message: Message) -> DisplayMessage:
    action = DisplayMessageAction(URL=message.url, Label=message.label) if message.url else None
    return DisplayMessage(Title=message.title, Text=message.text, Severity=message.severity, PrimaryAction=action)


def version(text: str) -> tuple[int, ...]:
    """A client version as numbers that compare: `1.80.3-t1234` as (1, 80, 3)."""
    parts = text.partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())
