"""Messages of the administrators to the people at the machines, kept with the tailnet's settings."""

from collections.abc import Mapping

import msgspec

from hatsize.tailnet.model import Node, Tailnet
from hatsize.tailnet.state import State

KEY = "messages"
"""Where they stand in the tailnet's settings."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, as clients show it until it is taken back."""

    title: str
    text: str
    severity: str = "medium"
    """`high`, `medium` or `low`."""
    url: str = ""
    """Where a button under the message leads; empty for no button."""
    label: str = ""
    """What stands on the button."""
    nodes: tuple[int, ...] = ()
    """The ids of those nodes alone whose clients show it; empty for all."""

    def concerns(self, node: Node) -> bool:
        return not self.nodes or node.id in self.nodes


def messages(state: State) -> Mapping[str, Message]:
    """The messages that are shown now, by id."""
    tailnet = state.find(Tailnet, state.tailnet_id)
    stored = tailnet.settings.get(KEY) if tailnet else None
    return msgspec.convert(stored, dict[str, Message]) if stored else {}
