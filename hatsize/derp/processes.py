"""Several relay processes on one machine that share a port and mesh with each other over Unix sockets.

The kernel spreads connections over the processes (SO_REUSEPORT), so two clients may land on different ones; each
process is to the others what another relay of the region is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio

from hatsize.derp.mesh import Mesh, MeshPeer
from hatsize.derp.relay import Relay
from hatsize.derp.supervision import again, run_process
from hatsize.wire.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Sibling:
    """One of the processes."""

    directory: Path
    """Where the sockets of all are; for their user alone, as a mesh peer may do much."""
    place: int
    count: int
    mesh_key: str
    """What they know each other by; a fresh one for each start of them all will do."""

    @property
    def socket(self) -> Path:
        """Where this one listens for the others."""
        return self.directory / f"relay-{self.place}.sock"

    def mesh(self, relay: Relay) -> Mesh:
        """The links to all others. They share the relay's key, so each has another one to be told apart by."""
        others = [place for place in range(self.count) if place != self.place]
        peers = [MeshPeer("localhost", path=str(self.directory / f"relay-{place}.sock")) for place in others]
        return Mesh(relay, PrivateKey.generate(), self.mesh_key, peers)


async def supervise(siblings: list[Sibling], target: Callable[[Sibling], None]) -> None:
    """Run `target`, an importable function, in a process per sibling, again whenever one ends, until cancelled."""

    async def keep_running(sibling: Sibling) -> None:
        name = f"relay process {sibling.place}"
        await again(name, lambda: run_process(name, target, sibling))

    async with anyio.create_task_group() as group:
        for sibling in siblings:
            group.start_soon(keep_running, sibling)
