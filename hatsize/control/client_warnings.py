"""What clients say is wrong with their machines, by flags of their map requests (protocol fact sheet, 5.1)."""

import logging
from collections.abc import Sequence

from hatsize.tailnet.model import Change, Node

log = logging.getLogger(__name__)

PREFIX = "warn-"
WORDS = {
    "warn-ip-forwarding-off": "IP forwarding is off on this machine, so that its routes lead nowhere",
    "warn-router-unhealthy": "the client cannot set up routes on this machine",
    "warn-etc-apt-source-disabled": "the package source that updates the client is switched off on this machine",
}
"""Flags that are known; of others people are told the flag."""


class ClientWarnings:
    """The warnings of each node that has any, as its client last told them."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[str, ...]] = {}

    def take(self, node: Node, flags: Sequence[str]) -> None:
        """A node's client tells its flags; warnings that are new are logged."""
        told = tuple(sorted({flag for flag in flags if flag.startswith(PREFIX)}))
        before = self._of.get(node.id, ())
        for flag in told:
            if flag not in before:
                log.warning("node %d %s: %s", node.id, node.given_name, in_words(flag))
        if told:
            self._of[node.id] = told
        else:
            self._of.pop(node.id, None)

    def of(self, node_id: int) -> Sequence[str]:
        """A node's warnings in words."""
        return [in_words(flag) for flag in self._of.get(node_id, ())]

    def changed(self, change: Change) -> None:
        """Something became true: those of nodes that are gone are forgotten."""
        for table, record_id in change.deletes:
            if table == Node.table:
                self._of.pop(record_id, None)


def in_words(flag: str) -> str:
    """What a flag says to people."""
    return WORDS.get(flag, flag.removeprefix(PREFIX).replace("-", " "))
