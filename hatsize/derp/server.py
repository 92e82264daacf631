"""The relay with sockets: takes connections over from a listener, admits them, keeps the relay's time."""

import asyncio
import hmac
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator

import anyio

from hatsize.derp.admission import everybody
from hatsize.derp.client import Client
from hatsize.derp.counters import Counters
from hatsize.derp.limits import Limits
from hatsize.derp.relay import Relay
from hatsize.derp.transport import Connection
from hatsize.wire.derp import frames
from hatsize.wire.derp.handshake import ClientInfo, HandshakeError, open_client_info, server_info
from hatsize.wire.derp.splitter import Buffer
from hatsize.wire.keys import NodeKey, PrivateKey, node_key, raw_key
from hatsize.wire.upgrade import Upgrade

_log = logging.getLogger(__name__)

Admit = Callable[[NodeKey, str], Awaitable[bool]]
"""Whether a node may use the relay, asked with its key and the address it comes from."""


class DerpServer:
    """A DERP server without a listener: register `take` with one for `/derp`, and run `run` beside it."""

    def __init__(
        self,
        private: PrivateKey,
        limits: Limits | None = None,
        *,
        admit: Admit = everybody,
        mesh_key: str = "",
    ) -> None:
        self.private = private
        self.mesh_key = mesh_key
        """64 hex digits that make another relay of the region known, or empty for no mesh."""
        self.relay = Relay(private.public, limits, clock=asyncio.get_running_loop().time)
        self.buffer = Buffer()
        self._admit = admit
        self._greeting = frames.server_key(private.public)
        self._connections: set[Connection] = set()
        self._judging: set[asyncio.Task[None]] = set()

    @property
    def counters(self) -> Counters:
        return self.relay.counters

    def take(self, upgrade: Upgrade) -> None:
        """Take a connection over that asks for DERP, on HTTP/1.1, by fast start or inside a WebSocket."""
        not_ideal = bool(upgrade.headers.get("ideal-node"))
        connection = Connection(self, upgrade.transport, upgrade.remote, not_ideal=not_ideal)
        self._connections.add(connection)
        silent = upgrade.answered or upgrade.headers.get("derp-fast-start") == "1"
        connection.write((b"" if silent else self._answer()) + self._greeting)
        connection.begin(upgrade.trailing)

    def evict(self, key: NodeKey) -> int:
        """Cut off a node that was deleted; returns how many connections it had."""
        return self.relay.evict(raw_key(key))

    def is_connected(self, key: NodeKey) -> bool:
        return self.relay.is_here(raw_key(key))

    def connected(self) -> Iterator[tuple[NodeKey, str]]:
        """The node key and the address of each client but other relays."""
        return ((node_key(client.key), client.address) for client in self.relay if not client.mesh)

    async def run(self) -> None:
        """Keep the relay's time until cancelled."""
        while True:
            await anyio.sleep(1)
            self.relay.tick()

    async def close(self, *, reconnect_in: float = 2, try_for: float = 30, grace: float = 0.2) -> None:
        """Tell clients when to come back, give them a moment to hear it, and end all connections."""
        self.relay.announce_restart(reconnect_in=reconnect_in, try_for=try_for)
        if self._connections:
            await anyio.sleep(grace)
        for connection in list(self._connections):
            connection.close()

    def let_go(self, at_most: int) -> int:
        """Send so many clients away at most, and tell how many; they connect again at once, here or elsewhere."""
        chosen = list(itertools.islice((client for client in self.relay if not client.mesh), at_most))
        for client in chosen:
            client.sink.close()
        return len(chosen)

    def greet(self, connection: Connection, client_info: bytes) -> None:
        try:
            key, info = open_client_info(self.private, client_info)
        except HandshakeError as error:
            self._turn_away(connection, str(error))
            return
        client = Client(key, connection, address=connection.remote)
        client.mesh = self._is_mesh_peer(info)
        client.prober, client.can_ack_pings = info.is_prober, info.can_ack_pings
        client.not_ideal = connection.not_ideal
        if client.mesh or self._admit is everybody:
            self._welcome(connection, client)
        else:
            task = asyncio.get_running_loop().create_task(self._judge(connection, client))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)

    def forget(self, connection: Connection) -> None:
        self._connections.discard(connection)

    async def _judge(self, connection: Connection, client: Client) -> None:
        key = node_key(client.key)
        if await self._admit(key, client.address):
            self._welcome(connection, client)
        else:
            self._turn_away(connection, f"{key} is not admitted")

    def _welcome(self, connection: Connection, client: Client) -> None:
        limits = self.relay.limits
        rate, burst = (limits.bytes_per_second, limits.burst) if limits.bytes_per_second else (0, 0)
        connection.write(server_info(self.private, client.key, bytes_per_second=rate, burst=burst))
        connection.admit(client)

    def _turn_away(self, connection: Connection, reason: str) -> None:
        _log.info("refusing the connection of %s: %s", connection.remote, reason)
        self.counters.refused += 1
        connection.close()

    def _is_mesh_peer(self, info: ClientInfo) -> bool:
        return bool(self.mesh_key) and hmac.compare_digest(info.mesh_key.encode(), self.mesh_key.encode())

    def _answer(self) -> bytes:
        return (
            "HTTP/1.1 101 Switching Protocols\r\n"
            f"Upgrade: {frames.UPGRADE_PROTOCOL}\r\n"
            "Connection: Upgrade\r\n"
            f"Derp-Version: {frames.VERSION}\r\n"
            f"Derp-Public-Key: {self.private.public.hex()}\r\n\r\n"
        ).encode()
