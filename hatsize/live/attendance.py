"""Nodes that come and go, here and at other replicas, and what follows from it: routes move, peers are told."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hatsize.live.presence import Presence
from hatsize.tailnet.model import Change, Node

if TYPE_CHECKING:
    from hatsize.live.tailnet import LiveTailnet


class Attendance:
    """The comings and goings of one tailnet's nodes."""

    def __init__(self, live: "LiveTailnet") -> None:
        self.presence = Presence()
        self._live = live
        self._attendants: list[Callable[[int, bool], None]] = []

    def attend(self, attendant: Callable[[int, bool], None]) -> None:
        """Call this with a node's id, and whether it is online, whenever that has changed."""
        self._attendants.append(attendant)

    def came(self, node_id: int) -> None:
        """A node's map stream opened here."""
        self.presence.came(node_id)
        self._live.services.replication.here(node_id, connected=True)
        self._arrived(node_id, here=True)

    def left(self, node_id: int) -> None:
        """A node's map stream ended here and was not opened again for a while."""
        nowhere = self.presence.left(node_id)
        self._live.services.replication.here(node_id, connected=False)
        if nowhere:
            self._departed(node_id, here=True)

    def be_elsewhere(self, node_ids: frozenset[int]) -> None:
        """These nodes have a map stream at another replica, and no others have."""
        came, left = self.presence.be_elsewhere(node_ids)
        for node_id in came:
            self._arrived(node_id, here=False)
        for node_id in left:
            self._departed(node_id, here=False)

    def observe(self, change: Change) -> None:
        """Take note of a change that is true now: who is in it may have come to another replica before."""
        for record in change.puts:
            known = not isinstance(record, Node) or self._live.is_online(record.id)
            if not known and self.presence.is_elsewhere(record.id):
                self._arrived(record.id, here=False)

    def settle(self) -> None:
        """Whoever meant to come back after a start has done so: routers that are connected nowhere have left."""
        live = self._live
        for node_id in live.routers.ids():
            if not live.is_online(node_id):
                live.routers.left(node_id)
        live.elect()
        live.wake()

    def _arrived(self, node_id: int, *, here: bool) -> None:
        live = self._live
        live.reapings.set(node_id, None)
        if live.routers.came(node_id):
            live.elect()
        self._note(node_id, online=True, here=here)

    def _departed(self, node_id: int, *, here: bool) -> None:
        live = self._live
        node = live.state.find(Node, node_id)
        if node is not None and node.ephemeral:
            live.reapings.set(node_id, live.clock() + live.terms.ephemeral_timeout)
        if node is not None and live.routers.left(node_id):
            live.elect()
        self._note(node_id, online=False, here=here)

    def _note(self, node_id: int, *, online: bool, here: bool) -> None:
        """Tell everybody concerned, and store when the node was seen, unless that is the other replica's to store."""
        live = self._live
        node = live.state.find(Node, node_id)
        if node is None:
            live.netmap.scene.online.discard(node_id)
            return
        if online == live.is_online(node_id):
            return
        if here:
            live.note_seen(node)
        live.netmap.set_online(node_id, online)
        for attendant in self._attendants:
            attendant(node_id, online)
        live.wake()
