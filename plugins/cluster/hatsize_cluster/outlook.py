"""What this replica tells the others of itself, and what it takes for true of what they tell."""

from collections.abc import Collection
from dataclasses import replace

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.replicas import Relay
from hatsize_cluster.others import Others, Told
from hatsize_cluster.relays import Place, Relays


class Outlook:
    """Between the process and the cluster. `address` is where the own relay is reached, empty for where it says."""

    def __init__(self, server: Server, others: Others, relays: Relays, known_as: str, address: str) -> None:
        self._server = server
        self._replica = server.replica
        self._others = others
        self._relays = relays
        self._known_as = known_as
        self._address = address
        self._followed: object = None

    def told(self, duties: Collection[str], *, leaving: bool = False) -> Told:
        """What to tell now."""
        routers = self._replica.routers
        return Told(
            seq=self._server.state.seq,
            sessions=self._replica.sessions,
            primaries=dict(routers.primaries),
            silent=sorted(routers.silent),
            relay=None if leaving else self._relay(),
            links=sorted(self._replica.linked),
            duties=sorted(duties),
            leaving=leaving,
        )

    def believe(self, epoch: int, *, draining: bool) -> None:
        """Take for true what is known of the others, in the membership of that epoch."""
        self.nodes_changed()
        primaries = self._others.primaries(epoch)
        self._replica.follow_routers(primaries if primaries != self._followed else None, self._others.silent)
        self._followed = primaries
        own = None if draining else self._relay()
        others = sorted(self._others.members, key=lambda each: each.id)
        taking = [Place(each.id, each.told.relay) for each in others if each.told.relay and not each.draining]
        self._relays.show([*([Place(self._known_as, own)] if own else []), *taking])
        self._relays.link(frozenset(each.told.relay for each in others if each.told.relay))

    def nodes_changed(self) -> None:
        """Nodes came to other replicas, or left them."""
        self._replica.be_elsewhere(self._others.nodes)

    def _relay(self) -> Relay | None:
        relay = self._replica.relay
        return replace(relay, host=self._address) if relay and self._address else relay
