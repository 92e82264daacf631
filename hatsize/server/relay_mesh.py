"""The server's own relay as one of a mesh, in whichever process it runs."""

from collections.abc import Collection
from typing import Protocol

from hatsize.derp.mesh import Mesh, MeshPeer
from hatsize.derp.server import DerpServer


class RelayMesh(Protocol):
    """A relay that others may link to, and that links to others."""

    @property
    def linked(self) -> Collection[MeshPeer]:
        """The relays there is a link to."""

    def accept_mesh(self, mesh_key: str) -> None:
        """Let relays that know this key mesh with this one."""

    async def keep_linked(self, peer: MeshPeer) -> None:
        """Keep a link to another relay until cancelled."""

    def let_go(self, at_most: int) -> int:
        """Send so many clients away at most, and tell how many, as far as that is known."""


class MeshHere:
    """A relay in this process as a RelayMesh."""

    def __init__(self, server: DerpServer) -> None:
        self._server = server
        self._mesh = Mesh(server.relay, server.private, server.mesh_key, [])

    @property
    def linked(self) -> Collection[MeshPeer]:
        return self._mesh.linked

    def accept_mesh(self, mesh_key: str) -> None:
        self._server.mesh_key = self._mesh.mesh_key = mesh_key

    async def keep_linked(self, peer: MeshPeer) -> None:
        await self._mesh.keep_linked(peer)

    def let_go(self, at_most: int) -> int:
        return self._server.let_go(at_most)
