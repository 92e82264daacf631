"""This process as one of several, moved by the plugin that makes it one."""

from collections.abc import Collection, Mapping, Sequence

from anyio import to_thread

from hatsize.control.pings import NoAnswerError, Pings
from hatsize.control.sessions import Hub
from hatsize.control.tunnel import Tunnel
from hatsize.derp.mesh import MeshPeer
from hatsize.hooks.replicas import Relay, Routers
from hatsize.hooks.storage import Storage
from hatsize.live.services import Services
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.address import reached_by
from hatsize.server.relay_beside import relay_addresses
from hatsize.server.relay_map import RelayMap
from hatsize.server.relay_mesh import RelayMesh
from hatsize.server.settings import Settings
from hatsize.wire.keys import PrivateKey
from hatsize.wire.tailcfg import DERPNode


async def shared_key(services: Services, name: str, ours: PrivateKey) -> PrivateKey:
    """The private key that all replicas use: `ours`, unless another one has brought its own before."""
    raw = await to_thread.run_sync(services.replication.shared_secret, services.storage, name, ours.text().encode())
    return PrivateKey.parse(raw.decode())


class ThisReplica:
    """Implements `hatsize.hooks.replicas.Replica`."""

    def __init__(
        self,
        live: LiveTailnet,
        hub: Hub,
        *,
        tunnel: Tunnel,
        pings: Pings,
        relay: RelayMesh | None,
        relay_key: str,
        relay_map: RelayMap,
        settings: Settings,
    ) -> None:
        self._live = live
        self._hub = hub
        self._tunnel = tunnel
        self._pings = pings
        self._relay = relay
        self._relay_map = relay_map
        self._settings = settings
        self._relay_key = relay_key
        self._silent_elsewhere: frozenset[int] = frozenset()

    @property
    def storage(self) -> Storage:
        return self._live.services.storage

    @property
    def relay(self) -> Relay | None:
        if self._relay is None:
            return None
        settings = self._settings
        return Relay(
            host=reached_by(settings.listen[0].host),
            region=settings.derp.region_id,
            port=relay_addresses(settings)[0].port if settings.derp.process else settings.listen[0].port,
            stun_port=settings.stun.port,
            pin=self._relay_map.pin,
            key=self._relay_key,
        )

    @property
    def routers(self) -> Routers:
        here = self._live.attendance.presence.is_here
        routers = self._live.routers
        return Routers(dict(routers.primaries), frozenset(filter(here, routers.silent)))

    @property
    def sessions(self) -> int:
        return len(self._hub)

    @property
    def linked(self) -> Collection[str]:
        return [] if self._relay is None else [peer.key for peer in self._relay.linked]

    def connected(self) -> frozenset[int]:
        return self._live.attendance.presence.here()

    async def catch_up(self, seq: int) -> None:
        await self._live.catch_up(seq)

    async def load_anew(self) -> None:
        await self._live.load_anew()

    def settle(self) -> None:
        self._live.attendance.settle()

    def be_elsewhere(self, node_ids: frozenset[int]) -> None:
        self._live.attendance.be_elsewhere(node_ids)

    def follow_routers(self, primaries: Mapping[str, int] | None, silent: frozenset[int]) -> None:
        former, self._silent_elsewhere = self._silent_elsewhere, silent
        here = self.connected()
        self._live.probed({node_id: node_id not in silent for node_id in (former ^ silent) - here})
        if primaries is not None:
            self._live.follow_routers(primaries)

    def show_relays(self, nodes: Sequence[DERPNode]) -> None:
        if self._relay_map.show(nodes):
            self._live.settings_changed()

    def accept_mesh(self, mesh_key: str) -> None:
        if self._relay is not None:
            self._relay.accept_mesh(mesh_key)

    async def mesh_with(self, relay: Relay) -> None:
        if self._relay is not None:
            await self._relay.keep_linked(MeshPeer(relay.host, relay.port, key=relay.key))

    def let_go(self, at_most: int) -> int:
        ended = self._tunnel.let_go(at_most)
        return ended + (self._relay.let_go(at_most) if self._relay else 0)

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        if not self._live.attendance.presence.is_here(node_id):
            return None
        try:
            return await self._pings.ask(node_id, types=types, payload=payload, within=within)
        except NoAnswerError:
            return None
