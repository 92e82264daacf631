"""The relays of all replicas as one region: clients are told of all of them, and they pass packets on to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import anyio
from anyio.abc import TaskGroup

from hatsize.hooks.replicas import Relay, Replica
from hatsize.wire.tailcfg import DERPNode


@dataclass(frozen=True, slots=True)
class Place:
    """A relay and the id of its replica."""

    id: str
    relay: Relay


class Relays:
    """Keeps the map and the mesh as the replicas are."""

    def __init__(self, replica: Replica, tasks: TaskGroup) -> None:
        self._replica = replica
        self._tasks = tasks
        self._links: dict[Relay, anyio.CancelScope] = {}

    def show(self, places: Sequence[Place]) -> None:
        """These relays take clients, the own one first."""
        if places:
            self._replica.show_relays([node(place) for place in places])

    def link(self, others: frozenset[Relay]) -> None:
        """These are the others' relays there are, also those that drain: packets must reach their last clients."""
        wanted = others if self._replica.relay else frozenset()
        for relay in self._links.keys() - wanted:
            self._links.pop(relay).cancel()
        for relay in wanted - self._links.keys():
            scope = self._links[relay] = anyio.CancelScope()
            self._tasks.start_soon(self._keep, relay, scope)

    async def _keep(self, relay: Relay, scope: anyio.CancelScope) -> None:
        with scope:
            await self._replica.mesh_with(relay)


def node(place: Place) -> DERPNode:
    """A relay as clients are told of it."""
    relay = place.relay
    version = _version(relay.host)
    return DERPNode(
        Name=f"{relay.region}-{place.id}",
        RegionID=relay.region,
        HostName=relay.host,
        CertName=relay.pin,
        IPv4={4: relay.host, 6: "none"}.get(version, ""),
        IPv6={6: relay.host, 4: "none"}.get(version, ""),
        DERPPort=0 if relay.port == 443 else relay.port,
        STUNPort=0 if relay.stun_port == 3478 else relay.stun_port,
    )


def _version(host: str) -> int:
    try:
        return ip_address(host).version
    except ValueError:
        return 0
